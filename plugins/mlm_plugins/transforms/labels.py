"""A column of labels that several transforms fill, one after another: each labels what those before it left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import mlm

if TYPE_CHECKING:
    import pyarrow as pa

Found = tuple[str, float]
"""A label, and its probability."""


def labels_in(batch: mlm.Batch, column: str) -> list[str]:
    """Return the label that each row has already; empty where it has none, a null or an empty text.

    Raises:
        DataError: The column holds no text, so that a label that is written into it would be of another type.
    """
    return [value or "" for value in _values(batch, column, _is_text, "text")]


def labelled(
    batch: mlm.Batch, column: str, found: Sequence[Found | None], min_confidence: float, confidence_column: str
) -> mlm.Batch:
    """Write the labels that are sure enough, and how sure each is; a row that has a label keeps it.

    Args:
        found: One a row; None where nothing was looked for, for the row has a label.
        confidence_column: Empty: none.

    Raises:
        DataError: A column that is there holds values of another type.
    """
    labels = [
        was or (one[0] if one and one[1] >= min_confidence else "")
        for was, one in zip(labels_in(batch, column), found, strict=True)
    ]
    if confidence_column:
        known = _values(batch, confidence_column, _is_number, "numbers")
        chances = [
            round(one[1], 4) if one else was if was is None else float(was)
            for was, one in zip(known, found, strict=True)
        ]
        batch = batch.with_column(confidence_column, chances)
    return batch.with_column(column, labels)


def _values(batch: mlm.Batch, column: str, fits: Callable[[pa.DataType], bool], expected: str) -> list[Any]:
    """Return the values of a column; nulls where the data lack it."""
    if column not in batch.table.column_names:
        return [None] * len(batch)
    kind = batch.table.schema.field(column).type
    if not fits(kind):
        raise mlm.DataError(f"column '{column}' is of type {kind}, expected {expected}; write into another column")
    return batch.table.column(column).to_pylist()  # type: ignore[no-any-return]


def _is_text(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind))


def _is_number(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_null(kind))
