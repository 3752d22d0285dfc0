"""The language of training rows."""

from __future__ import annotations

from attrs import define
from attrs.validators import deep_iterable, in_, min_len

import mlm
from mlm_plugins.detectors.languages import STOP_WORDS, foreign


@define(kw_only=True)
class Language:
    """Removes rows that are written in another language, by their function words."""

    languages: list[str] = mlm.setting(
        factory=lambda: ["en"],
        validator=[min_len(1), deep_iterable(in_(tuple(STOP_WORDS)))],
        help="languages that stay: " + ", ".join(STOP_WORDS),
    )

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        columns = [(name, batch.strings(name)) for name in batch.text_columns]
        return batch.remove([self._foreign(columns, row) for row in range(len(batch))], "language")

    def _foreign(self, columns: list[tuple[str, list[str]]], row: int) -> str | None:
        for name, values in columns:
            if language := foreign(values[row], self.languages):
                return f"{name} reads as {language}"
        return None
