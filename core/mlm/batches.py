"""Batches of rows on their way through a data step, and the writer that stores them.

A row that leaves keeps its id, its source, the transform that removed it and the reason:
rows in = rows out + rows removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, field, fields, frozen

from mlm.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from mlm.artifacts import Dataset

ROW_ID, SOURCE, SPLIT = "row_id", "source", "split"
SUBJECT_COLUMNS = ("subject", "user", "user_id")
"""Columns that say whom a row is about: what `mlm erase --subject` looks for."""
TEXT_COLUMNS = ("text", "prompt", "completion", "chosen", "rejected")
"""Columns that hold text for a model to read or write, by TRL's names."""


@frozen
class Removal:
    """One row that a transform took out, and why."""

    row_id: str
    source: str
    reason: str
    detail: str = ""
    text: str = ""
    step: str = ""
    subject: str = ""
    """Whom the row is about, from the first of SUBJECT_COLUMNS that it had."""


@frozen
class Batch:
    """Some rows as an Arrow table with the columns `row_id` and `source`, and what was removed from them."""

    table: pa.Table
    removals: tuple[Removal, ...] = ()
    changes: dict[str, int] = field(factory=dict)
    """Number of rows changed, by reason."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def text_columns(self) -> list[str]:
        """Names of the text columns that this batch has."""
        return [name for name in TEXT_COLUMNS if name in self.table.column_names]

    def strings(self, column: str) -> list[str]:
        """Return a column as Python strings; null reads as empty."""
        return [value or "" for value in self.table.column(column).to_pylist()]

    def texts(self) -> list[str]:
        """Return each row's text columns joined by newlines."""
        columns = [self.strings(name) for name in self.text_columns]
        return ["\n".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * len(self)

    def subjects(self) -> list[str]:
        """Return whom each row is about; empty where no column says it."""
        found = [""] * len(self)
        for name in SUBJECT_COLUMNS:
            if name in self.table.column_names:
                values = self.table.column(name).to_pylist()
                found = [was or ("" if value is None else str(value)) for was, value in zip(found, values, strict=True)]
        return found

    def remove(self, reasons: Sequence[str | None], reason: str) -> Batch:
        """Remove each row whose entry is not None; the entry is the detail kept with `reason`."""
        if len(reasons) != len(self):
            raise ValueError(f"{len(reasons)} reasons for {len(self)} rows")
        if all(detail is None for detail in reasons):
            return self
        ids, sources, texts, subjects = self.strings(ROW_ID), self.strings(SOURCE), self.texts(), self.subjects()
        gone = tuple(
            Removal(ids[i], sources[i], reason, detail, texts[i][:2000], subject=subjects[i])
            for i, detail in enumerate(reasons)
            if detail is not None
        )
        keep = [detail is None for detail in reasons]
        return evolve(self, table=self.table.filter(keep), removals=self.removals + gone)

    def map_text(self, change: Callable[[str], str], reason: str) -> Batch:
        """Apply `change` to every text column and count the rows that it changed."""
        table, changed = self.table, [False] * len(self)
        for name in self.text_columns:
            old = self.table.column(name).to_pylist()
            new = [value if value is None else change(value) for value in old]
            if new == old:
                continue
            changed = [was or a != b for was, a, b in zip(changed, old, new, strict=True)]
            table = _with_column(table, name, new)
        counts = dict(self.changes)
        if any(changed):
            counts[reason] = counts.get(reason, 0) + sum(changed)
        return evolve(self, table=table, changes=counts)

    def with_column(self, name: str, values: Sequence[Any]) -> Batch:
        """Add a column, or replace the one of that name."""
        return evolve(self, table=_with_column(self.table, name, list(values)))


def _with_column(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    import pyarrow as pa

    column = pa.array(values, pa.string()) if name in TEXT_COLUMNS else pa.array(values)
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)


class DatasetWriter:
    """Writes a dataset folder: `data/<split>.parquet`, `removed.parquet`, `statistics.json`.

    Use it as a context manager; `dataset` is ready after it closed without an exception.
    """

    def __init__(self, folder: Path, step: str = "") -> None:
        self.folder, self.step = folder, step
        self._writers: dict[str, Any] = {}
        self._removals: list[Removal] = []
        self._rows: dict[str, int] = {}
        self._changes: dict[str, int] = {}

    def write(self, batch: Batch, step: str = "") -> None:
        """Append a batch; a `split` column says which file each row goes to (`train` without one)."""
        self._removals += [evolve(r, step=r.step or step or self.step) for r in batch.removals]
        for reason, count in batch.changes.items():
            self._changes[reason] = self._changes.get(reason, 0) + count
        for split, table in _by_split(batch.table):
            self._append(split, table)

    def _append(self, split: str, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        if not split.replace("-", "_").isidentifier():
            raise DataError(f"a split's name has letters, digits, - and _, got {split!r}")
        if split not in self._writers:
            file = self.folder / "data" / f"{split}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            self._writers[split] = pq.ParquetWriter(file, table.schema, compression="zstd")
        writer = self._writers[split]
        writer.write_table(table.select(writer.schema.names).cast(writer.schema))
        self._rows[split] = self._rows.get(split, 0) + table.num_rows

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for writer in self._writers.values():
            writer.close()
        if error is None:
            self._finish()

    def _finish(self) -> None:
        import json

        import pyarrow as pa
        import pyarrow.parquet as pq

        names = [attribute.name for attribute in fields(Removal)]
        columns = {name: [asdict(r)[name] for r in self._removals] for name in names}
        schema = pa.schema([(name, pa.string()) for name in names])
        self.folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns, schema=schema), self.folder / "removed.parquet", compression="zstd")
        reasons: dict[str, int] = {}
        for removal in self._removals:
            reasons[removal.reason] = reasons.get(removal.reason, 0) + 1
        statistics = {"rows": self._rows, "removed": reasons, "changed": self._changes}
        (self.folder / "statistics.json").write_text(json.dumps(statistics, indent=1, sort_keys=True), encoding="utf-8")

    @property
    def dataset(self) -> Dataset:
        from mlm.artifacts import Dataset

        return Dataset(self.folder)


def _by_split(table: pa.Table) -> list[tuple[str, pa.Table]]:
    import pyarrow.compute as pc

    if SPLIT not in table.column_names:
        return [("train", table)] if table.num_rows else []
    names = pc.unique(table.column(SPLIT)).to_pylist()
    return [(name, table.filter(pc.equal(table.column(SPLIT), name))) for name in names]
