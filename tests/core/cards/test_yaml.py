"""The YAML head, read back by a YAML parser."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm.cards.markdown import bullets, card, code, section, table, yaml

pyyaml = pytest.importorskip("yaml")
SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
HEADS = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(SCALARS, min_size=1)
            | st.dictionaries(KEYS, inner, min_size=1)
            | st.lists(st.dictionaries(KEYS, inner, min_size=1), min_size=1)
        ),
        max_leaves=12,
    ),
    min_size=1,
)


@settings(max_examples=60, deadline=None)
@given(HEADS)
def test_a_parser_reads_back_what_was_written(head: dict[str, Any]) -> None:
    assert pyyaml.safe_load(yaml(head)) == head


@pytest.mark.parametrize("value", [1e-05, 1e22, -2.5e-300, 0.1, 1.0, math.inf, -math.inf])
def test_a_float_stays_a_float(value: float) -> None:
    found = pyyaml.safe_load(yaml({"value": value}))["value"]

    assert (type(found), found) == (float, value)


@pytest.mark.parametrize(
    "word", ["no", "on", "1.0", "null", "~", "2026-01-01", "a: b", "# c", "'", '"', "é\u2028\x85\x7f"]
)
def test_a_text_stays_a_text(word: str) -> None:
    assert pyyaml.safe_load(yaml({word: word})) == {word: word}


def test_what_is_empty_is_left_out() -> None:
    assert yaml({"license": "", "datasets": [], "args": {}, "n": 0, "ok": False, "x": None}) == '"n": 0\nok: false\n'


def test_a_card_is_a_head_between_fences_and_a_body() -> None:
    assert card({"license": "mit"}, "# a", None, "b") == '---\nlicense: "mit"\n---\n\n# a\n\nb\n'


def test_a_cell_cannot_break_its_table() -> None:
    assert table(("a",), [("x | y\n<b>",)]) == "| a |\n| --- |\n| x \\| y &lt;b> |"


def test_what_has_no_content_is_left_out() -> None:
    assert table(("a",), []) is None
    assert section("Title", None, "") is None


def test_code_cannot_be_left() -> None:
    assert (code("a`b"), code({"b": 1, "a": [2]})) == ("`a'b`", '`{"a": [2], "b": 1}`')
    assert bullets(["a\nb", "c"]) == "- a b\n- c"
