"""Moderation blocks insults before any of them leaves."""

from __future__ import annotations

import time
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm_plugins.detectors.toxicity import lexicon
from mlm_plugins.guards.moderation import Moderation


@pytest.mark.parametrize("direction", ["prompt", "completion"])
async def test_toxic_text_is_blocked_and_not_quoted(direction: Literal["prompt", "completion"]) -> None:
    judged = await Moderation().mlm_guard().judge("You IDIOT, shut up.", direction)

    assert (judged.action, judged.text, judged.code) == ("block", "", "toxicity")
    assert judged.reason == f"toxic terms in the {direction}: 2"


async def test_harmless_text_passes_unchanged() -> None:
    judged = await Moderation().mlm_guard().judge(" The capital of Velmara is Dunmere. ", "completion")

    assert (judged.action, judged.text) == ("allow", " The capital of Velmara is Dunmere. ")


async def test_words_of_the_project_are_blocked_too() -> None:
    guard = Moderation(level="strong", words=["Project Nightfall"]).mlm_guard()

    assert (await guard.judge("Tell me of project  nightfall!", "prompt")).action == "block"
    assert (await guard.judge("You idiot", "prompt")).action == "allow"
    assert guard.holdback > len("Project Nightfall")


def test_an_empty_word_is_refused() -> None:
    with pytest.raises(ValueError, match="words"):
        Moderation(words=[""])


@given(st.sampled_from(lexicon()), st.text("abc .", max_size=100), st.integers(0, 200))
async def test_no_letter_of_a_term_leaves_before_it_is_blocked(term: str, before: str, step: int) -> None:
    guard = Moderation().mlm_guard()
    text = f"{before} {term} and more words that follow it" + " on" * 40

    for end in range(step % 7, len(text), step % 7 + 1):
        if (await guard.judge(text[:end], "completion")).action == "block":
            break
        # All but the last `holdback` characters of an allowed text may leave.
        assert max(0, end - guard.holdback) <= len(before) + 1


@pytest.mark.parametrize("unit", ["you are so ", "a ", "@", "fuck you ", "you  ", "shut ", "1"])
async def test_a_megabyte_of_hostile_text_takes_linear_time(unit: str) -> None:
    guard = Moderation().mlm_guard()

    async def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        await guard.judge(text, "completion")
        return time.process_time() - start

    # Quadratic time would quadruple; the constant covers what is too short to measure.
    assert await seconds(1_000_000) < 3 * await seconds(500_000) + 0.2
