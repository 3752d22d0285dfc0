"""Trimmed white space is the same for a streamed and a whole response."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm_plugins.postprocessors.trim import Trim


def streamed(pieces: list[str]) -> str:
    stream = Trim().mlm_postprocess().open()
    return "".join([*map(stream.feed, pieces), stream.close()])


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        ("  Sure.  To plan \n", "Sure. To plan"),
        ("a   b\n  c", "a b\n c"),
        (" \n ", ""),
        ("", ""),
        ("\u00a0a\tb\u2003", "a\tb"),
    ],
)
def test_white_space_is_trimmed(text: str, trimmed: str) -> None:
    assert streamed([text]) == trimmed
    assert streamed(list(text)) == trimmed


@given(st.lists(st.text("ab \n\t\u00a0\x1c", max_size=5)))
def test_a_streamed_response_equals_the_whole(pieces: list[str]) -> None:
    assert streamed(pieces) == re.sub(" {2,}", " ", "".join(pieces).strip())


def test_text_leaves_at_once() -> None:
    stream = Trim().mlm_postprocess().open()

    assert [stream.feed(piece) for piece in (" The", " cap", "ital ", " is")] == ["The", " cap", "ital", " is"]


def test_two_responses_do_not_share_what_is_held() -> None:
    post = Trim().mlm_postprocess()
    one, other = post.open(), post.open()

    assert (one.feed("a "), other.feed(" b"), one.feed("c")) == ("a", "b", " c")
