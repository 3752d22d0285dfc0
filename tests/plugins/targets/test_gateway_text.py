"""Laws of streamed text: however tokens come, the same text leaves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from mlm.serving import Judged
from mlm_plugins.targets.gateway.guarding import Guarding
from mlm_plugins.targets.gateway.streaming import CompletionText

texts = st.text(alphabet="ab@. é世👋", max_size=200)
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=8)
PATTERN = re.compile(r"a+@b+\.a")
LONGEST = 12


class Bytes:
    """One token a byte of UTF-8, so that characters are cut into tokens."""

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode("utf-8", "replace")


tokenizer: Any = Bytes()


class Redactor:
    """Redacts addresses that are not longer than what it holds back."""

    name, holdback = "redactor", LONGEST

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> Judged:
        clean = redacted(text)
        return Judged("redact", clean) if clean != text else Judged("allow", text)


class Blocker:
    name, holdback = "blocker", 3

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> Judged:
        return Judged("block", "") if "bab" in text else Judged("allow", text)


def redacted(text: str) -> str:
    return PATTERN.sub(lambda match: "[X]" if len(match[0]) < LONGEST else match[0], text)


def pieces(ids: Sequence[int], sizes: Sequence[int]) -> list[Sequence[int]]:
    """Cut ids into pieces of these sizes, again and again."""
    found, at, turn = [], 0, 0
    while at < len(ids):
        size = sizes[turn % len(sizes)]
        found.append(ids[at : at + size])
        at, turn = at + size, turn + 1
    return found


def left(ids: Sequence[int], sizes: Sequence[int], stops: Sequence[str], guards: Sequence[Any]) -> str:
    """Return the text that leaves where tokens come in pieces of these sizes."""

    async def run() -> str:
        guarding = Guarding(guards, 5.0, lambda decision: None)
        completion = CompletionText(tokenizer, stops, guarding, [])
        text = ""
        for piece in pieces(ids, sizes):
            text += await completion.feed(piece)
            if completion.stopped:
                break
        return text + await completion.close()

    return asyncio.run(run())


@given(text=texts, sizes=cuts, stops=st.lists(st.text("ab@", min_size=1, max_size=3), max_size=2))
def test_streamed_text_does_not_depend_on_the_pieces(text: str, sizes: list[int], stops: list[str]) -> None:
    ids = tokenizer.encode(text)
    guards = [Redactor(), Blocker()]

    assert left(ids, sizes, stops, guards) == left(ids, [10_000], stops, guards)


@given(
    text=st.lists(st.sampled_from(["a", "b", " ", "a@b.a", "aa@bb.a", "@", "."]), max_size=80).map("".join), sizes=cuts
)
def test_redaction_in_a_stream_is_that_of_the_whole_text(text: str, sizes: list[int]) -> None:
    streamed = left(tokenizer.encode(text), sizes, [], [Redactor()])

    assert streamed == redacted(text)


@given(text=st.text("ab ", max_size=200), sizes=cuts)
def test_nothing_blocked_leaves_and_nothing_after_it(text: str, sizes: list[int]) -> None:
    streamed = left(tokenizer.encode(text), sizes, [], [Blocker()])

    assert text.startswith(streamed)
    assert "bab" not in streamed
    assert streamed == text or "bab" in text
