"""What each transform of a chain did to the rows, and how long the rows' texts are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from mlm.batches import TEXT_COLUMNS, Batch
from mlm.conversations import as_text
from mlm.row_groups import tables

if TYPE_CHECKING:
    from mlm.artifacts import Dataset

ERASE = "erase"
"""The last link of a chain whose rows were erased since."""


@define
class Tally:
    """What one transform did to the rows."""

    step: str
    rows_in: int = 0
    rows_out: int = 0
    changed: int = 0
    removed: dict[str, int] = field(factory=dict)
    lengths: dict[str, int] = field(factory=dict)
    """Rows that came out, by the characters of their texts; of the last transform of a pass."""

    def count(self, rows_in: int, after: Batch) -> None:
        """Count one batch that went in and came out."""
        self.rows_in += rows_in
        self.rows_out += len(after)
        # A row may be changed for several reasons.
        self.changed += len({row_id for change in after.changes for row_id in change.row_ids})
        for removal in after.removals:
            self.removed[removal.reason] = self.removed.get(removal.reason, 0) + 1

    def add(self, other: Tally) -> None:
        """Add what the same transform did to other rows."""
        self.rows_in += other.rows_in
        self.rows_out += other.rows_out
        self.changed += other.changed
        self.removed = summed((self.removed, other.removed))


def tally_of(step: str, made: Dataset, rows_in: int | None = None) -> Tally:
    """Return what one hook did that wrote a dataset; a source's rows in are those that it kept or set aside."""
    removed = reasons(made, "removed.parquet")
    rows_out = made.num_rows
    rows_in = rows_out + sum(removed.values()) if rows_in is None else rows_in
    return Tally(step, rows_in, rows_out, _changed(made), removed)


def _changed(made: Dataset) -> int:
    """Count the changed rows; one that was changed for several reasons counts once."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = made.path / "changed.parquet"
    return int(pc.count_distinct(pq.read_table(path, columns=["row_id"]).column(0)).as_py()) if path.exists() else 0


def reasons(made: Dataset, file: str) -> dict[str, int]:
    """Count the rows of `removed.parquet` or `changed.parquet` by reason."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = made.path / file
    if not path.exists():
        return {}
    counts = pc.value_counts(pq.read_table(path, columns=["reason"]).column("reason"))
    return {item["values"].as_py(): item["counts"].as_py() for item in counts}


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add counts by name, in the order in which the names come."""
    total: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            total[name] = total.get(name, 0) + count
    return total


def lengths(dataset: Dataset) -> dict[str, int]:
    """Count rows by the characters of their texts; the key is the lower end of a bin that doubles: 0, 1, 2, 4, ..."""
    import numpy as np
    import pyarrow.parquet as pq

    counts = np.zeros(64, np.int64)
    for file in dataset.files:
        here = pq.read_schema(file).names
        for table in tables([file], [name for name in TEXT_COLUMNS if name in here]):
            total = sum(map(_characters, table.columns), np.zeros(table.num_rows, np.int64))
            counts += np.bincount(np.frexp(total)[1], minlength=64)
    return {str(2**place // 2): int(count) for place, count in enumerate(counts) if count}


def _characters(column: Any) -> Any:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = as_text(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return np.zeros(len(column), np.int64)
    return pc.fill_null(pc.utf8_length(column), 0).to_numpy().astype(np.int64)
