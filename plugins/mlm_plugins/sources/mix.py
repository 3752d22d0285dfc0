"""Several datasets as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import define
from attrs.validators import deep_mapping, ge, instance_of

import mlm

if TYPE_CHECKING:
    import pyarrow as pa


@define(kw_only=True)
class Mix:
    """Puts datasets one after another; a column that one of them lacks is null there.

    Rows keep their ids and sources. Where an id comes again, because a dataset is repeated or two hold the same row,
    its second row gets `#2`.
    """

    inputs: list[mlm.Dataset] = mlm.input(help="the datasets, in their order")
    repeat: dict[str, int] = mlm.setting(
        factory=dict, validator=deep_mapping(instance_of(str), ge(1)), help="how often a dataset is read, by its name"
    )

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        self._know_names(context)
        schema, seen = self._schema(), Counter[str]()
        with context.writer() as writer:
            for record in self._records():
                columns = {name: _column(record, name, schema.field(name).type) for name in schema.names}
                columns["row_id"] = pa.array(_unique(record.column("row_id").to_pylist(), seen), pa.string())
                writer.write(mlm.Batch(pa.table(columns)))
        return writer.dataset

    def _records(self) -> Iterator[pa.RecordBatch]:
        for data in self.inputs:
            for _ in range(self.repeat.get(_name(data), 1)):
                yield from data.batches()

    def _know_names(self, context: mlm.Context) -> None:
        known = [_name(data) for data in self.inputs]
        for name in self.repeat:
            if name not in known:
                raise mlm.ProjectError(
                    f"repeat names '{name}', which is not mixed (mixed: {', '.join(known)})", context.step
                )

    def _schema(self) -> pa.Schema:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schemas = [pq.read_schema(file).remove_metadata() for data in self.inputs for file in data.files]
        try:
            return pa.unify_schemas(schemas) if schemas else pa.schema([])
        except pa.ArrowException as error:
            raise mlm.DataError(f"the datasets of a mix disagree on the type of a column: {error}") from None


def _name(data: mlm.Dataset) -> str:
    return data.ref.split("@")[0].split("/")[0]


def _column(record: pa.RecordBatch, name: str, kind: pa.DataType) -> pa.Array:
    """Return a column of the batch; nulls where it has none, and the split `train`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = record.column(name).cast(kind) if name in record.schema.names else pa.nulls(record.num_rows, kind)
    return pc.fill_null(column, "train") if name == "split" else column


def _unique(ids: list[str], seen: Counter[str]) -> list[str]:
    """Give `#n` to the n-th row of an id."""
    unique = []
    for row_id in ids:
        seen[row_id] += 1
        unique.append(row_id if seen[row_id] == 1 else f"{row_id}#{seen[row_id]}")
    return unique
