"""A guard, a postprocessor and a rollout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import define, field

import mlm
from mlm_registry import Arm


@define(kw_only=True)
class Hush:
    """Blocks texts with a word."""

    word: str = mlm.setting("secret", help="the word")

    @mlm.hookimpl
    def mlm_guard(self, context: mlm.Context) -> mlm.Guard:
        return WordGuard(self.word)


@define
class WordGuard:
    """Blocks a word."""

    word: str
    name: str = "hush"
    holdback: int = field(init=False, default=32)

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> mlm.Judged:
        if self.word in text:
            return mlm.Judged("block", "", "hushed", f"{direction} holds {self.word}")
        return mlm.Judged("allow", text)


@define(kw_only=True)
class Polite:
    """Thanks for every question."""

    @mlm.hookimpl
    def mlm_postprocess(self, context: mlm.Context) -> mlm.Postprocessor:
        return Thanks()


@define
class Thanks:
    """Adds thanks at the end."""

    name: str = "polite"

    def open(self) -> mlm.TextStream:
        return self

    def feed(self, text: str) -> str:
        return text

    def close(self) -> str:
        return " Thank you."


@define(kw_only=True)
class Halves:
    """Gives a candidate one half, then everything, and asks nothing."""

    @mlm.hookimpl
    def mlm_rollout(self, context: mlm.Context) -> mlm.Rollout:
        return HalfAndHalf()


@define
class HalfAndHalf:
    """Half, then all."""

    first_share: float = 0.5

    def route(self, key: str, arms: Sequence[Arm]) -> Arm:
        return arms[len(key) % len(arms)]

    def judge(self, stage: mlm.Stage) -> mlm.Move:
        return mlm.Move("advance", 1.0, "half of it was enough")
