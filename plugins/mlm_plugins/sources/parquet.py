"""Parquet files, with the types that they have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import define

import mlm
from mlm.row_groups import record_batches
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.json_values import canonical
from mlm_plugins.sources.lines import Fault, damage
from mlm_plugins.sources.reading import Chunk, Files
from mlm_plugins.sources.typed import RENAMED

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1024


@define(kw_only=True)
class Parquet(Files):
    """Reads Parquet files; a column that one of them lacks is null there.

    The files' own columns `row_id` and `source` become `original_row_id` and `original_source`.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)
    unit: ClassVar[str] = "row"

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        files = self.files(context)
        schema, ids = _schema([file for _, file in files]), RowIds()
        with context.writer() as writer:
            for name, file in files:
                for first, part in _parts(file):
                    if isinstance(part, Fault):
                        empty = identified(schema.empty_table(), [], ids, name, first)
                        writer.write(mlm.Batch(empty, self.removals(name, file, [part], ids)))
                        continue
                    table = fitted(part, schema)
                    writer.write(mlm.Batch(identified(table, table.to_pylist(), ids, name, first)))
        return writer.dataset


def _parts(file: Path) -> Iterator[tuple[int, Any]]:
    """Read (number of the first row, record batch); what cannot be read is a fault."""
    import pyarrow as pa

    number = 1
    try:
        for batch in record_batches(file, _ROWS):
            yield number, batch
            number += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        yield number, damage(number, "row", error)


def parquet_chunks(file: Path) -> Iterator[Chunk]:
    """Read a file's rows as dictionaries."""
    for first, part in _parts(file):
        if isinstance(part, Fault):
            yield Chunk(faults=[part])
        else:
            rows = part.to_pylist()
            yield Chunk(list(range(first, first + len(rows))), rows, [canonical(row) for row in rows])


def _schema(files: list[Path]) -> pa.Schema:
    """Return the columns of all files that can be opened; DataError where two disagree on a type."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = []
    for file in files:
        try:
            found.append(pq.read_schema(file).remove_metadata())
        except (pa.ArrowException, OSError):
            continue  # Reading its rows names it.
    try:
        whole = pa.unify_schemas(found, promote_options="permissive") if found else pa.schema([])
    except pa.ArrowException as error:
        raise mlm.DataError(f"the Parquet files disagree on the type of a column: {error}") from None
    return pa.schema([field.with_type(_plain(field.type)) for field in whole])


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column is stored in: text is plain text, however a file encodes it."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """Return a table of exactly these columns; one that the batch lacks is null, and its split `train`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def column(wanted: pa.Field) -> Any:
        known = wanted.name in batch.schema.names
        values = batch.column(wanted.name).cast(wanted.type) if known else pa.nulls(batch.num_rows, wanted.type)
        return pc.fill_null(values, "train") if wanted.name == "split" else values

    return pa.table([column(wanted) for wanted in schema], schema=schema)


def identified(table: pa.Table, rows: list[dict[str, Any]], ids: RowIds, name: str, first: int) -> pa.Table:
    """Put ids and sources before the columns; rows have the ids that JSON of the same values would."""
    import pyarrow as pa

    table = table.rename_columns([RENAMED.get(column, column) for column in table.column_names])
    sources = [f"{name}:{number}" for number in range(first, first + table.num_rows)]
    own = [pa.array(ids.of([canonical(row) for row in rows]), pa.string()), pa.array(sources, pa.string())]
    return pa.table([*own, *table.columns], names=["row_id", "source", *table.column_names])
