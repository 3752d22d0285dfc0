"""Who labelled a row."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

import mlm
from mlm_plugins.transforms.labels import Found, labels_in

BY_HELP = "column that keeps which transform labelled a row; empty: none"
REASON = "labelled"


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
