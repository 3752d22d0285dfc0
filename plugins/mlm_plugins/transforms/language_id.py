"""The language of documents, among 140."""

from __future__ import annotations

from attrs import define
from attrs.validators import and_, ge, le

import mlm
from mlm_plugins.detectors.columns import joined
from mlm_plugins.detectors.identification import identified
from mlm_plugins.detectors.language_codes import refused


@define(kw_only=True)
class LanguageId:
    """Names each row's language by py3langid's model (Lui and Baldwin 2012), and removes other languages.

    Meant for texts of a sentence and more; for short prompts and answers, `language` errs less. The first 4096 bytes
    are looked at.
    """

    languages: list[str] = mlm.setting(factory=list, help="languages that stay, by ISO 639 code; without any, all")
    min_confidence: float = mlm.setting(
        0.0, validator=and_(ge(0), le(1)), help="probability of the language from which a row stays"
    )
    column: str = mlm.setting("language", help="column that keeps the language; empty: none")

    def __attrs_post_init__(self) -> None:
        for told in filter(None, map(refused, self.languages)):
            raise ValueError(told)

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        found, chances = identified(joined(batch.table, batch.text_columns))
        details = [self._told(code, chance) for code, chance in zip(found, chances.tolist(), strict=True)]
        kept = batch.with_column(self.column, found) if self.column else batch
        return kept.remove(details, "language")

    def _told(self, code: str, chance: float) -> str | None:
        foreign = self.languages and code not in self.languages
        return f"reads as {code}, confidence {chance:.2f}" if foreign or chance < self.min_confidence else None
