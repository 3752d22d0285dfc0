"""Insults and threats in prompts and completions."""

from __future__ import annotations

from typing import Literal

from attrs import define
from attrs.validators import deep_iterable, in_, min_len

import mlm
from mlm_plugins.detectors.toxicity import LEVELS, longest, toxic_terms


@define(kw_only=True)
class Moderation:
    """Blocks prompts and completions that hold insults or threats, by a lexicon."""

    level: str = mlm.setting("mild", validator=in_(LEVELS), help="strong: the graver part of the lexicon alone")
    words: list[str] = mlm.setting(factory=list, validator=deep_iterable(min_len(1)), help="further terms")

    @mlm.hookimpl
    def mlm_guard(self) -> mlm.Guard:
        return _Lexicon(level=self.level, words=tuple(self.words), holdback=longest(self.level, self.words) + 1)


@define(kw_only=True)
class _Lexicon:
    level: str
    words: tuple[str, ...]
    holdback: int
    name: str = "moderation"

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> mlm.Judged:
        terms = toxic_terms(text, self.level, self.words)
        if not terms:
            return mlm.Judged("allow", text)
        return mlm.Judged("block", "", "toxicity", f"toxic terms in the {direction}: {len(terms)}")
