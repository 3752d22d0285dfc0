"""Evaluation rows that have leaked into training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field
from attrs.validators import and_, ge, gt, le

import mlm
from mlm.conversations import as_text
from mlm_plugins.transforms.reading import asked, batches

if TYPE_CHECKING:
    from mlm_plugins.detectors.overlap import HeldOut, Overlap


@define(kw_only=True)
class Decontaminate:
    """Removes rows that hold what a held-out row asks: all of it, or a large part of its runs of words.

    Letter case, white space and punctuation do not count. Every text column is searched, for the held-out row's prompt
    (or its text). The default is PaLM's rule, 7 in 10 of the runs of 8 words (Chowdhery et al. 2022, 8);
    `ngram = 13, share = 0` is GPT-3's, any run of 13 words (Brown et al. 2020, C). What says the same in other words is
    not found.
    """

    against: list[mlm.Dataset] = mlm.input(
        judging=True,
        help="the held-out datasets; without it, each one by which an evaluation judges what learns from this step",
    )
    ngram: int = mlm.setting(
        8, validator=ge(2), help="length of a run; a shorter held-out row is one run", unit="words"
    )
    share: float = mlm.setting(
        0.7, validator=and_(ge(0), le(1)), help="part of a held-out row's runs that a row must have; 0: any one run"
    )
    shortest: int = mlm.setting(
        5, validator=gt(0), help="a held-out row of fewer words must be the whole text to count", unit="words"
    )

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        evidence = _Evidence.of(self)
        with context.writer() as writer:
            for batch in batches(data):
                writer.write(batch.remove(evidence.details(batch, self.share), "contamination"))
        return writer.dataset


@define
class _Evidence:
    """Which held-out row a row holds, in words."""

    held_out: HeldOut
    names: list[str] = field(factory=list)
    """Each held-out row's id and dataset."""

    @classmethod
    def of(cls, settings: Decontaminate) -> _Evidence:
        import pyarrow as pa

        from mlm_plugins.detectors.overlap import HeldOut

        made = cls(HeldOut(ngram=settings.ngram, shortest=settings.shortest))
        for data in settings.against:
            name = f"{data.ref or data.path.name}{'/' + data.split if data.split else ''}"
            for batch in batches(data):
                made.held_out.add(pa.array(asked(batch), pa.string()))
                made.names += [f"row {row_id} of {name}" for row_id in batch.strings("row_id")]
        return made

    def details(self, batch: mlm.Batch, share: float) -> list[str | None]:
        best: list[Overlap | None] = [None] * len(batch)
        for column in batch.text_columns:
            for place, overlap in enumerate(self.held_out.overlaps(as_text(batch.table.column(column)), share)):
                before = best[place]
                if overlap and (not before or overlap.share > before.share):
                    best[place] = overlap
        return [self._told(overlap) if overlap else None for overlap in best]

    def _told(self, overlap: Overlap) -> str:
        name = self.names[overlap.item]
        more = f", and {overlap.others} more held-out rows" if overlap.others else ""
        if overlap.found == overlap.runs:
            return f"holds all {self.held_out.words(overlap.item)} words of {name}{more}"
        return f"holds {overlap.found} of the {overlap.runs} runs of {overlap.length} words of {name}{more}"
