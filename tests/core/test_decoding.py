"""Text from tokens, and its end at a stop string: the same however it came in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import example, given
from hypothesis import strategies as st

from mlm.decoding import Decoder, StopStrings, cut

T = TypeVar("T", list[int], str)
sizes_of_pieces = st.lists(st.integers(1, 9), min_size=1, max_size=8)
stop_strings = st.lists(st.text("abc", min_size=1, max_size=4), max_size=3)


def decode(ids: Sequence[int]) -> str:
    """One token a byte of UTF-8, so that characters are cut into tokens."""
    return bytes(ids).decode("utf-8", "replace")


def pieces(whole: T, sizes: Sequence[int]) -> list[T]:
    """Cut into pieces of these sizes, again and again."""
    found, at, turn = [], 0, 0
    while at < len(whole):
        size = sizes[turn % len(sizes)]
        found.append(whole[at : at + size])
        at, turn = at + size, turn + 1
    return found


def ended(text: str, stops: Sequence[str]) -> str:
    """Read letter by letter until a stop string is complete; the longest where several are."""
    for place in range(1, len(text) + 1):
        complete = [stop for stop in stops if text[:place].endswith(stop)]
        if complete:
            return text[: place - max(map(len, complete))]
    return text


@given(ids=st.lists(st.integers(0, 255), max_size=120), sizes=sizes_of_pieces)
@example(ids=list("👋".encode())[:2], sizes=[1])
def test_pieces_decode_to_the_text_of_the_whole(ids: list[int], sizes: list[int]) -> None:
    decoder = Decoder(decode)

    assert "".join(map(decoder.feed, pieces(ids, sizes))) + decoder.close() == decode(ids)


@given(text=st.text("abc", max_size=40), stops=stop_strings, sizes=sizes_of_pieces)
@example(text="xabcd", stops=["abcd", "bc"], sizes=[9])
def test_the_stop_string_that_is_complete_first_ends_the_text(text: str, stops: list[str], sizes: list[int]) -> None:
    stream = StopStrings(stops)
    streamed = ""
    for piece in pieces(text, sizes):
        streamed += stream.feed(piece)
        if stream.found:
            break

    assert streamed + stream.close() == cut(text, stops) == ended(text, stops)


def test_an_empty_stop_string_ends_nothing() -> None:
    assert cut("one. two", [""]) == "one. two"
    assert cut("one. two", ["", "."]) == "one"
