"""Several datasets as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import define, frozen
from attrs.validators import deep_mapping, ge, gt, instance_of

import mlm
from mlm.batches import TEXT_COLUMNS
from mlm_plugins.detectors.drawing import allotted, draws, lowest, occurrences, tempered

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_BY_NAME = instance_of(str)


@define(kw_only=True)
class Mix:
    """Puts datasets one after another, whole or in shares; a column that one of them lacks is null there.

    They have one form: the same of the columns that models learn from (`text`, or `prompt` and `completion`, ...).
    Rows keep their ids and sources. Where an id comes again, because a dataset is repeated or two hold the same row,
    its second row gets `#2`. With `weights` or a temperature, each dataset gives its share: rows are drawn by the seed
    and their ids, and a dataset that is too small is read again from the start. `mlm show` says how often each was
    read, as `times_read_<name>`: 0.5 is half of it.
    """

    inputs: list[mlm.Dataset] = mlm.input(help="the datasets, in their order")
    repeat: dict[str, int] = mlm.setting(
        factory=dict, validator=deep_mapping(_BY_NAME, ge(1)), help="how often a dataset is read, by its name"
    )
    weights: dict[str, float] = mlm.setting(
        factory=dict,
        validator=deep_mapping(_BY_NAME, ge(0)),
        help="share of each dataset, by its name; any sum, 0 leaves one out",
    )
    temperature: float = mlm.setting(
        1.0, validator=gt(0), help="without weights, shares go by rows ** (1 / temperature): higher is more equal"
    )
    rows: int = mlm.setting(
        0, validator=ge(0), help="rows of a mix in shares; 0: as many as need no dataset more than `repeat` times"
    )

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        import numpy as np
        import pyarrow as pa

        self._know_names(context)
        self._have_one_form(context)
        schema, reads = self._schema(context), self._reads(context)
        keys = [draws(0, ids) for read in reads for ids in read.ids()]
        ranks, start = occurrences(np.concatenate(keys) if keys else np.empty(0, np.uint64)), 0
        with context.writer() as writer:
            for read in reads:
                for record, drawn in read.records():
                    columns = {name: _column(record, name, schema.field(name).type) for name in schema.names}
                    batch = mlm.Batch(pa.table(columns))
                    if drawn is not None:
                        batch = batch.remove([None if stays else "not drawn" for stays in drawn.tolist()], "mix")
                    ids = _numbered(batch.strings("row_id"), ranks[start : start + len(batch)].tolist())
                    writer.write(batch.with_column("row_id", ids))
                    start += len(batch)
        return writer.dataset

    def _reads(self, context: mlm.Context) -> list[_Read]:
        """Say what is read in which order: whole datasets, and of each at most once a part that is drawn."""
        whole = [self.repeat.get(_name(data), 1) for data in self.inputs]
        if not self.weights and self.temperature == 1 and not self.rows:
            return [_Read(data) for data, times in zip(self.inputs, whole, strict=True) for _ in range(times)]
        counts = [data.num_rows for data in self.inputs]
        shares = [self.weights.get(_name(data), 0.0) for data in self.inputs] if self.weights else []
        shares = [share / (sum(shares) or 1) for share in shares] or tempered(counts, self.temperature)
        room = [count * times for count, times in zip(counts, whole, strict=True)]
        most = min((limit / share for limit, share in zip(room, shares, strict=True) if share), default=0)
        total = self.rows or int(most + 1e-9)
        given = allotted(total, shares, [total if count else 0 for count in counts])
        context.log(total, **_times_read(self.inputs, given))
        reads = []
        for data, count, wanted in zip(self.inputs, counts, given, strict=True):
            times, rest = divmod(wanted, count) if count else (0, 0)
            reads += [_Read(data)] * times
            if rest or not times:
                reads.append(_Read.drawn(data, rest, context.seed, lost=not times))
        return reads

    def _know_names(self, context: mlm.Context) -> None:
        known = [_name(data) for data in self.inputs]
        for setting, names in (("repeat", self.repeat), ("weights", self.weights)):
            for name in names:
                if name not in known:
                    told = f"{setting} names '{name}', which is not mixed (mixed: {', '.join(known)})"
                    raise mlm.ProjectError(told, context.step)
        for name in known if self.weights else ():
            if name not in self.weights:
                told = f"weights leave out '{name}', which is mixed: give it a share, or 0 to take none of it"
                raise mlm.ProjectError(told, context.step)
        if self.weights and not any(self.weights.values()):
            raise mlm.ProjectError("every weight is 0, so there is nothing to mix", context.step)

    def _have_one_form(self, context: mlm.Context) -> None:
        """Refuse what would make rows of which some have no prompt, and others no text."""
        forms = {data.ref: {name for one in _schemas(data) for name in one.names} for data in self.inputs}
        told = {ref: " and ".join(name for name in TEXT_COLUMNS if name in names) for ref, names in forms.items()}
        told = {ref: form for ref, form in told.items() if form}
        if len(set(told.values())) > 1:
            has = ", ".join(f"{ref} has {form}" for ref, form in told.items())
            convertible = {"messages", "prompt and completion"} <= set(told.values())
            means = '`to = "messages"` of the source `instructions`' if convertible else "the transform `rename`"
            raise mlm.DataError(
                f"a mix takes datasets of one form, got several: {has}; give them the same columns first, such as by "
                f"{means}  [{context.step}]"
            )

    def _schema(self, context: mlm.Context) -> pa.Schema:
        """Return the columns of all, in the order in which they come."""
        import pyarrow as pa

        columns: dict[str, list[tuple[str, pa.Field]]] = {}
        for data in self.inputs:
            for field in (field for schema in _schemas(data) for field in schema):
                columns.setdefault(field.name, []).append((data.ref, field))
        return pa.schema([_merged(found, context.step) for found in columns.values()])


def _merged(found: list[tuple[str, pa.Field]], step: str) -> pa.Field:
    """Return one field for a column of several datasets; DataError where their types do not go together."""
    import pyarrow as pa

    try:
        return pa.unify_schemas([pa.schema([field]) for _, field in found]).field(0)
    except pa.ArrowException:
        name, has = found[0][1].name, ", ".join(dict.fromkeys(f"{ref} has {field.type}" for ref, field in found))
        raise mlm.DataError(
            f"a mix takes columns of one type, got several of '{name}': {has}; give it the same type first, such as by "
            f"`columns` of a source  [{step}]"
        ) from None


def _schemas(data: mlm.Dataset) -> list[pa.Schema]:
    import pyarrow.parquet as pq

    return [pq.read_schema(file).remove_metadata() for file in data.files]


@frozen(eq=False)
class _Read:
    """One reading of a dataset, whole or of the rows that were drawn."""

    data: mlm.Dataset
    chosen: NDArray[np.bool_] | None = None
    lost: bool = False
    """Whether rows that were not drawn are in the mix nowhere else, and so are kept as removed."""

    @classmethod
    def drawn(cls, data: mlm.Dataset, count: int, seed: int, *, lost: bool) -> _Read:
        import numpy as np

        keys = [draws(seed, ids) for ids in cls(data).ids()]
        return cls(data, lowest(np.concatenate(keys) if keys else np.empty(0, np.uint64), count), lost)

    def ids(self) -> Iterator[list[str]]:
        """Read the ids of the rows alone."""
        start = 0
        for record in self.data.batches(columns=["row_id"]):
            part = record if self.chosen is None else record.filter(_mask(self.chosen, start, record.num_rows))
            start += record.num_rows
            yield part.column(0).to_pylist()

    def records(self) -> Iterator[tuple[pa.RecordBatch, NDArray[np.bool_] | None]]:
        """Read batches; beside one with rows that are to be removed, which of its rows stay."""
        start = 0
        for record in self.data.batches():
            chosen = None if self.chosen is None else self.chosen[start : start + record.num_rows]
            start += record.num_rows
            if chosen is None or self.lost:
                yield record, chosen
            else:
                yield record.filter(_mask(chosen, 0, len(chosen))), None


def _mask(chosen: NDArray[np.bool_], start: int, rows: int) -> pa.Array:
    import pyarrow as pa

    return pa.array(chosen[start : start + rows])


def _name(data: mlm.Dataset) -> str:
    return data.ref.split("@")[0].split("/")[0]


def _times_read(inputs: list[mlm.Dataset], given: list[int]) -> dict[str, float]:
    """Return how often the rows of each dataset are read on average, by its name."""
    rows, taken = Counter[str](), Counter[str]()
    for data, count in zip(inputs, given, strict=True):
        rows[_name(data)] += data.num_rows
        taken[_name(data)] += count
    return {f"times_read_{name}": taken[name] / max(rows[name], 1) for name in rows}


def _column(record: pa.RecordBatch, name: str, kind: pa.DataType) -> pa.Array:
    """Return a column of the batch; nulls where it has none, and the split `train`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = record.column(name).cast(kind) if name in record.schema.names else pa.nulls(record.num_rows, kind)
    return pc.fill_null(column, "train") if name == "split" else column


def _numbered(ids: list[str], ranks: list[int]) -> list[str]:
    """Give `#n` to the n-th row of an id."""
    return [row_id if rank == 0 else f"{row_id}#{rank + 1}" for row_id, rank in zip(ids, ranks, strict=True)]
