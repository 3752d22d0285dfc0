"""Writes a dataset's folder in bounded memory.

`data/<split>-00000-of-00001.parquet` is the Hub's name for the parts of a split, so `datasets` opens the folder with
any split. Beside them lie `removed.parquet`, `changed.parquet` and `statistics.json`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, fields

from mlm.batches import ROW_ID, SPLIT, Batch, Change, Removal
from mlm.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from mlm.artifacts import Dataset

GROUP_ROWS, GROUP_BYTES = 16_384, 8_000_000
"""A row group is closed when it has so many rows or bytes: what is held in memory at once."""
REMOVED, CHANGED = "removed.parquet", "changed.parquet"


# A split names files.
_SPLIT_NAME = re.compile(r"\w[\w.-]{0,63}")


def part_name(split: str, part: int, parts: int) -> str:
    """Return the name of one part of a split, as the Hub has it."""
    return f"{split}-{part:05}-of-{parts:05}.parquet"


class ParquetFile:
    """A Parquet file that grows by row groups of a steady size, however small the tables are that come in.

    Where later rows have more columns, or wider types, the file takes them too.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        self._writer: Any = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._waiting_bytes = 0

    def write(self, table: pa.Table) -> None:
        """Append rows, cut into row groups at places that do not depend on how the rows came in."""
        while table.num_rows:
            room = GROUP_ROWS - self._waiting_rows
            head, table = table.slice(0, room), table.slice(room)
            self._waiting.append(head)
            self._waiting_rows += head.num_rows
            self._waiting_bytes += head.nbytes
            if self._waiting_rows >= GROUP_ROWS or self._waiting_bytes >= GROUP_BYTES:
                self._flush()

    def close(self, schema: pa.Schema | None = None) -> None:
        """Write what waits; with a schema, a file of no rows is made too."""
        self._flush()
        if self._writer is None and schema is not None:
            self._open(schema)
        if self._writer is not None:
            self._writer.close()

    def _open(self, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self.path, schema, compression="zstd")

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        schema = self._waiting[0].schema
        for table in self._waiting[1:]:
            schema = schema if table.schema.equals(schema) else _wider(schema, table.schema)
        table = pa.concat_tables([fitted(one, schema) for one in self._waiting])
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        if self._writer is None:
            self._open(table.schema)
        elif table.schema != self._writer.schema:
            self._widen(_wider(self._writer.schema, table.schema))
        self._writer.write_table(fitted(table, self._writer.schema), row_group_size=GROUP_ROWS)
        self.rows += table.num_rows

    def _widen(self, schema: pa.Schema) -> None:
        """Write what is there again under a wider schema: rare, for a column that was empty in the first row groups."""
        import pyarrow.parquet as pq

        if schema == self._writer.schema:
            return
        self._writer.close()
        narrow = self.path.with_suffix(".narrow")
        self.path.rename(narrow)
        self._open(schema)
        with pq.ParquetFile(narrow) as parquet:
            for group in range(parquet.num_row_groups):
                table = fitted(parquet.read_row_group(group), schema)
                self._writer.write_table(table, row_group_size=GROUP_ROWS)
        narrow.unlink()


def _wider(one: pa.Schema, other: pa.Schema) -> pa.Schema:
    import pyarrow as pa

    try:
        return pa.unify_schemas([one, other], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"rows do not have the types of those before them: {error}") from None


class DatasetWriter:
    """Writes a dataset folder.

    Use it as a context manager; `dataset` is ready after it closed without an exception.
    """

    def __init__(self, folder: Path, step: str = "") -> None:
        self.folder, self.step = folder, step
        self._splits: dict[str, ParquetFile] = {}
        self._removed = ParquetFile(folder / REMOVED)
        self._changed = ParquetFile(folder / CHANGED)
        self._reasons: dict[str, int] = {}
        self._changes: dict[str, int] = {}

    def write(self, batch: Batch) -> None:
        """Append a batch; a `split` column says which part each row goes to (`train` without one)."""
        self._note_removals(batch.removals)
        self._note_changes(batch.changes)
        for split, table in _by_split(batch.table):
            if not _SPLIT_NAME.fullmatch(split):
                raise DataError(f"a split's name has letters, digits, '_', '-' and '.', got {split!r}")
            if split not in self._splits:
                self._splits[split] = ParquetFile(self.folder / "data" / part_name(split, 0, 1))
            self._splits[split].write(table)

    def _note_removals(self, removals: tuple[Removal, ...]) -> None:
        if removals:
            self._removed.write(_removed_table([evolve(r, step=r.step or self.step) for r in removals]))
        for removal in removals:
            self._reasons[removal.reason] = self._reasons.get(removal.reason, 0) + 1

    def _note_changes(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            self._changed.write(_changed_table(evolve(change, step=change.step or self.step)))
            self._changes[change.reason] = self._changes.get(change.reason, 0) + len(change)

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        import json

        files = self._splits.values()
        for file in files:
            file.close()
        self._removed.close(_removed_schema())
        self._changed.close(_changed_schema())
        if error is None:
            rows = {split: file.rows for split, file in self._splits.items()}
            statistics = {"rows": rows, "removed": self._reasons, "changed": self._changes}
            text = json.dumps(statistics, indent=1, sort_keys=True)
            (self.folder / "statistics.json").write_text(text, encoding="utf-8")

    @property
    def dataset(self) -> Dataset:
        """What was written."""
        from mlm.artifacts import Dataset

        return Dataset(self.folder)


def _removed_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(attribute.name, pa.string()) for attribute in fields(Removal)])


def _removed_table(removals: list[Removal]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist([asdict(removal) for removal in removals], _removed_schema())


def _changed_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in (ROW_ID, "step", "reason", "detail")])


def _changed_table(change: Change) -> pa.Table:
    import pyarrow as pa

    count = len(change)
    columns = [
        pa.array(change.row_ids, pa.string()),
        pa.array([change.step] * count, pa.string()),
        pa.array([change.reason] * count, pa.string()),
        pa.array(change.details or [""] * count, pa.string()),
    ]
    return pa.table(columns, schema=_changed_schema())


def _by_split(table: pa.Table) -> list[tuple[str, pa.Table]]:
    import pyarrow.compute as pc

    if SPLIT not in table.column_names:
        return [("train", table)] if table.num_rows else []
    splits = pc.fill_null(table.column(SPLIT), "train")
    table = table.set_column(table.column_names.index(SPLIT), SPLIT, splits)
    return [(name, table.filter(pc.equal(splits, name))) for name in pc.unique(splits).to_pylist()]


def fitted(table: Any, schema: Any) -> Any:
    """Give a table exactly the columns of a schema; a column that it lacks is null, and its split `train`."""
    import pyarrow as pa

    return pa.table([_column(table, wanted) for wanted in schema], schema=schema)


def _column(table: Any, wanted: Any) -> Any:
    import pyarrow as pa

    if wanted.name in table.column_names:
        return table.column(wanted.name).cast(wanted.type)
    if wanted.name == SPLIT:
        return pa.array(["train"] * table.num_rows, wanted.type)
    return pa.nulls(table.num_rows, wanted.type)
