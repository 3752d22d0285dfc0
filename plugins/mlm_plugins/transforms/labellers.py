"""Who labelled a row, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve
from attrs.validators import and_, ge, le

import mlm
from mlm_plugins.transforms.labels import Found, labelled, labels_in

BY_HELP = "column that keeps which transform labelled a row; empty: none"
REASON = "labelled"


@define(kw_only=True)
class Labelling:
    """What a model's labels need beside the model: where they are kept, and from which probability."""

    min_confidence: float = mlm.setting(
        0.0, validator=and_(ge(0), le(1)), help="probability from which a label is given"
    )
    column: str = mlm.setting("label", help="name of the column")
    confidence_column: str = mlm.setting("", help="column that keeps the probability; empty: none")
    by_column: str = mlm.setting("", help=BY_HELP)

    def label(
        self, batch: mlm.Batch, before: Sequence[str], found: Sequence[Found | None], context: mlm.Context
    ) -> mlm.Batch:
        """Write what was found for the rows that had no label before, and note them."""
        made = labelled(batch, self.column, found, self.min_confidence, self.confidence_column)
        return credited(made, before, self.column, self.by_column, context.step, found)


def credited(
    batch: mlm.Batch,
    before: Sequence[str],
    column: str,
    by_column: str,
    labeller: str,
    found: Sequence[Found | None] | None = None,
) -> mlm.Batch:
    """Note the rows that have a label now and had none before: they are among the changed ones.

    Args:
        before: The label that each row had; empty where it had none.
        by_column: Column that gets the labeller's name; empty: none.
        found: As `labelled` takes it; without it, labels have no probability.
    """
    labels, chances = labels_in(batch, column), found or [None] * len(batch)
    told = {
        row_id: f"{label}, {chance[1]:.4g}" if chance else label
        for row_id, was, label, chance in zip(batch.strings("row_id"), before, labels, chances, strict=True)
        if label and not was
    }
    if by_column:
        known, ids = labels_in(batch, by_column), batch.strings("row_id")
        names = [labeller if row_id in told else name for row_id, name in zip(ids, known, strict=True)]
        batch = batch.with_column(by_column, names)
    if not told:
        return batch
    return evolve(batch, changes=(*batch.changes, mlm.Change(REASON, tuple(told), tuple(told.values()))))
