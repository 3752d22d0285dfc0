"""Insults in training rows."""

from __future__ import annotations

from attrs import define
from attrs.validators import deep_iterable, ge, in_, min_len

import mlm
from mlm_plugins.detectors.toxicity import LEVELS, toxic_terms


@define(kw_only=True)
class Toxicity:
    """Removes rows that hold insults or threats, by a lexicon."""

    max_terms: int = mlm.setting(0, validator=ge(0), help="how many toxic terms a row may hold")
    level: str = mlm.setting("mild", validator=in_(LEVELS), help="strong: the graver part of the lexicon alone")
    words: list[str] = mlm.setting(factory=list, validator=deep_iterable(min_len(1)), help="further terms")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.remove([self._excess(text) for text in batch.texts()], "toxicity")

    def _excess(self, text: str) -> str | None:
        terms = toxic_terms(text, self.level, self.words)
        return ", ".join(sorted(set(terms))) if len(terms) > self.max_terms else None
