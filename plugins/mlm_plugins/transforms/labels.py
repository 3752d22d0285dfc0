"""A column of labels that several transforms fill, one after another: each labels what those before it left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlm

Found = tuple[str, float]
"""A label, and its probability."""


def labels_in(batch: mlm.Batch, column: str) -> list[str]:
    """Return the label that each row has already; empty where it has none."""
    return [str(value or "") for value in _values(batch, column)]


def labelled(
    batch: mlm.Batch, column: str, found: Sequence[Found | None], min_confidence: float, confidence_column: str
) -> mlm.Batch:
    """Write the labels that are sure enough, and how sure each is; a row that has a label keeps it.

    Args:
        found: One a row; None where nothing was looked for, for the row has a label.
        confidence_column: Empty: none.
    """
    labels = [
        was or (one[0] if one and one[1] >= min_confidence else "")
        for was, one in zip(labels_in(batch, column), found, strict=True)
    ]
    if confidence_column:
        known = _values(batch, confidence_column)
        chances = [was if one is None else round(one[1], 4) for was, one in zip(known, found, strict=True)]
        batch = batch.with_column(confidence_column, chances)
    return batch.with_column(column, labels)


def _values(batch: mlm.Batch, column: str) -> list[Any]:
    return batch.table.column(column).to_pylist() if column in batch.table.column_names else [None] * len(batch)
