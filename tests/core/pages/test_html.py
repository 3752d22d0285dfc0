"""HTML is escaped by construction, and a page needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm.pages.html import badge, page, section, table, tag
from mlm.pages.quantities import bare, duration, moment, number, quantity, size

Parse = Callable[[str], ET.Element]


@given(st.text())
def test_any_text_comes_back_as_it_was_and_makes_no_markup(text: str) -> None:
    parsed = ET.fromstring(tag("p", text, title="a"))

    assert list(parsed) == []
    kept = "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff")
    assert "".join(c for c in parsed.text or "" if c >= " " and c != "\ufffd") == kept.replace("\ufffd", "")


def test_an_attribute_cannot_be_left_by_a_quote() -> None:
    assert tag("i", title='"><script>') == '<i title="&quot;&gt;&lt;script&gt;"></i>'


def test_an_attribute_of_none_is_left_out() -> None:
    assert tag("td", "x", class_=None) == "<td>x</td>"


def test_a_page_is_well_formed_and_fetches_nothing(parse: Parse) -> None:
    text = page("A & B", section("Title", table(("a", "b"), [(1, "<b>")], numeric=(0,)), badge("pass"), note="how"))

    parsed = parse(text)

    assert parsed.findtext("head/title") == "A & B"
    assert not any(word in text for word in ("<script", "http://", "https://", "url(", "@import", "<link", "<img"))


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.925, "share", "92.5 %"),
        (0.0123, "seconds", "12.3 ms"),
        (4.2e-6, "seconds", "4 µs"),
        (75.0, "seconds", "1 min 15 s"),
        (7260.0, "seconds", "2 h 01 min"),
        (1_234_567.0, "bytes", "1.23 MB"),
        (999.0, "bytes", "999 B"),
        (31.25, "USD", "31.25 USD"),
        (1234567.0, "", "1,234,567"),
        (None, "share", "—"),
        (float("nan"), "share", "—"),
        (float("inf"), "bytes", "—"),
    ],
)
def test_quantities_read_as_people_write_them(value: float | None, unit: str, shown: str) -> None:
    assert quantity(value, unit) == shown


def test_a_bare_value_keeps_only_units_that_change_its_figures() -> None:
    assert (bare(0.5, "share"), bare(12.5, "USD")) == ("50.0 %", "12.5")


def test_small_numbers_keep_two_digits_and_times_are_utc() -> None:
    assert (number(5.127e-8), moment(0.0), moment(86400.0)) == ("5.1e-08", "—", "1970-01-02 00:00")
    assert (duration(3 * 86400.0), size(2.5e13)) == ("3 d", "25 TB")
