"""Personal data is masked the same, however the text came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlm
from mlm_plugins.detectors.pii import redact
from mlm_plugins.guards.pii import PiiRedaction

ENTITIES = (
    "joe@example.org",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "192.0.2.1",
    "+49 30 901820",
    "x.y",
)
texts = st.lists(st.sampled_from(ENTITIES) | st.text("ab1 .@-\n", max_size=40), max_size=12).map(" ".join)


async def test_entities_are_masked_and_named() -> None:
    judged = await PiiRedaction().mlm_guard().judge("joe@example.org paid 4111 1111 1111 1111", "prompt")

    assert (judged.action, judged.text, judged.code) == ("redact", "<EMAIL> paid <CARD>", "pii")
    assert judged.reason == "masked in the prompt: card, email"


async def test_text_without_entities_passes_unchanged() -> None:
    assert await PiiRedaction().mlm_guard().judge("It is 12:30 on day 4.", "completion") == mlm.Judged(
        "allow", "It is 12:30 on day 4."
    )


async def test_only_the_wanted_kinds_are_masked() -> None:
    judged = await PiiRedaction(kinds=["card"]).mlm_guard().judge("joe@example.org", "prompt")

    assert judged.action == "allow"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="mail"):
        PiiRedaction(kinds=["mail"])


async def streamed(text: str, chunks: list[int]) -> str:
    """Send a text through the guard in chunks, as a gateway does that keeps the last `holdback` characters back.

    Nothing leaves while an edit reaches into what is kept back.
    """
    guard = PiiRedaction().mlm_guard()
    left, end = "", 0
    for size in chunks:
        end += size
        raw = text[:end]
        judged = (await guard.judge(raw, "completion")).text
        tail = raw[max(0, len(raw) - guard.holdback) :]
        if len(raw) > guard.holdback and judged.endswith(tail):
            settled = judged[: len(judged) - len(tail)]
            assert settled.startswith(left)
            left = settled
    final = (await guard.judge(text, "completion")).text
    assert final.startswith(left)
    return final


@given(texts, st.lists(st.integers(1, 30), max_size=60))
async def test_masking_does_not_depend_on_the_chunks(text: str, chunks: list[int]) -> None:
    assert await streamed(text, chunks) == redact(text)
