"""Columns are searched by other means than texts, and the same is found."""

from __future__ import annotations

import time
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_plugins.detectors import pii, secrets
from mlm_plugins.detectors.searching import personal_data, secret_values

FORMS = (
    r"[\w.+-]{0,50}@[a-z0-9.-]{0,60}\.[a-z]{1,4}",
    r"[0-9]{1,20}",
    r"(?:[0-9]{1,5}[ ().\-/]{0,2}){1,6}",
    r"[+(]{0,2}[0-9]{2,4}(?:[ .-][0-9]{2,4}){1,4}",
    r"[A-Z]{1,3}[0-9]{2}[A-Z0-9 ]{8,30}",
    r"(?:[0-9a-f]{0,5}:){1,8}[0-9a-f]{0,4}(?:\.[0-9]{1,3}){0,3}",
    r"(?:[0-9]{1,3}\.){1,5}[0-9]{1,3}",
    r"[A-Z]{5,7}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]",
    r"[W-Z]?[0-9]{6,9}-?[A-Z]?",
    r"(?:bc1|BC1|1|3)[0-9a-zA-Z]{10,64}",
    r"(?:https?|ftp|x|www)(?:://|\.|:)[a-z@:/.?()0-9]{0,20}",
    r"(?:tel|phone|fax|ssn|电话)[.:= #]{0,3}[0-9]{3}[ -]?[0-9]{2,4}[ -]?[0-9]{2,4}",
)
VALID = (
    "joe@example.org", "jörg@example.com", "4111 1111 1111 1111", "378282246310005", "GB82 WEST 1234 5698 7654 32",
    "192.0.2.146", "2001:db8::1", "64:ff9b::192.0.2.33", "1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:7:8", "+49 30 901820",
    "(555) 010-9999", "Tel. 782 2652", "460-89-9847", "SSN 460899847", "529.982.247-25", "12345678Z", "X1234567L",
    "RSSMRA85T10A562S", "11010519491231002X", "2 55 08 14 168 025 38", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "https://user@example.org/a?b=c", "www.example.org/(x)",
    "_", ".", "+",
)  # fmt: skip
ANY = st.text(st.characters(codec=None), max_size=12)
"""Any code points: lone surrogates and NUL too."""
pieces = st.one_of(st.sampled_from(VALID), ANY, *(st.from_regex(form, fullmatch=True) for form in FORMS))
texts = st.lists(pieces, max_size=6).flatmap(lambda parts: st.sampled_from(["", " ", "\n", "é", "漢", "-"]).map(
    lambda by: by.join(parts)
))  # fmt: skip


def column(rows: list[str | None]) -> pa.ChunkedArray:
    """Make a column of texts that Arrow itself would not take: with lone surrogates."""
    encoded = pa.array([None if row is None else row.encode("utf-8", "surrogatepass") for row in rows], pa.binary())
    return pa.chunked_array([pa.Array.from_buffers(pa.string(), len(encoded), encoded.buffers())])


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=5), st.sampled_from([pii.BOUNDED, pii.KINDS, ("url", "phone")]))
def test_personal_data_of_a_column_is_that_of_its_texts(rows: list[str], kinds: tuple[str, ...]) -> None:
    expected = [(row, text, spans) for row, text in enumerate(rows) if (spans := pii.find(text, kinds))]

    assert list(personal_data(column(list(rows)), kinds)) == expected


def test_every_example_is_of_a_kind_but_the_last_three() -> None:
    assert [bool(pii.find(text, pii.KINDS)) for text in VALID] == [True] * (len(VALID) - 3) + [False] * 3


@pytest.mark.parametrize("find", [personal_data, secret_values])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_column_may_be_cut_from_another_and_have_nulls_and_chunks(find: Callable[..., object], kind: object) -> None:
    text = "mail joe@example.org, password = hunter2Hunter3x"
    whole = pa.array(["joe@example.org", None, text, "", text, None], kind)

    found = list(
        find(pa.chunked_array([whole.slice(1, 2), whole.slice(3, 0), whole.slice(4)]), pii.KINDS + secrets.KINDS)
    )  # type: ignore[call-overload]

    assert [(row, seen) for row, seen, _ in found] == [(1, text), (2, text)]


@pytest.mark.parametrize("unit", ["1", "1 ", "@", "a@", "1.", "f:", ":", "f::", "DE8", "(1", "+", "é1", "bc1", "www."])
def test_hostile_text_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        rows = pa.chunked_array([pa.array([unit * (size // len(unit))])])
        start = time.process_time()
        list(personal_data(rows, pii.KINDS))
        return time.process_time() - start

    seconds(10)
    # Quadratic time would quadruple; the constant covers what is too short to measure.
    assert seconds(200_000) < 3 * seconds(100_000) + 0.3
