"""A data step: read the source, add what amendments bring, and send the rows through the chain.

Consecutive row-wise transforms share one pass. After each transform the core counts: rows in = rows out + rows removed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import attrs
from attrs import define, evolve, field

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID, SOURCE, SPLIT, Batch, DatasetWriter, Removal
from mlm.calls import Plugin
from mlm.context import Context
from mlm.errors import DataError, PluginError
from mlm.ledger import Ledger

BATCH_ROWS = 1024


@define
class Tally:
    """What one transform did to the rows."""

    step: str
    rows_in: int = 0
    rows_out: int = 0
    changed: int = 0
    removed: dict[str, int] = field(factory=dict)

    def count(self, before: int, after: Batch, removals: Sequence[Removal], changed: int) -> None:
        self.rows_in += before
        self.rows_out += len(after)
        self.changed += changed
        for removal in removals:
            self.removed[removal.reason] = self.removed.get(removal.reason, 0) + 1


def curate(
    source: Plugin, chain: Sequence[Plugin], added: Sequence[Dataset], ledger: Ledger, context: Context
) -> Dataset:
    """Run a data step and return the stored dataset in `context.folder`; what was erased does not come back."""
    stages = _Stages(context)
    try:
        return _curated(source, chain, added, ledger, stages, context)
    finally:
        stages.clear()


def _curated(
    source: Plugin,
    chain: Sequence[Plugin],
    added: Sequence[Dataset],
    ledger: Ledger,
    stages: _Stages,
    context: Context,
) -> Dataset:
    dataset = source.read(stages.context(source))
    tallies = [_read_tally(source, dataset)]
    if added:
        dataset = _with_added(dataset, added, stages.context(source))
        tallies[0].rows_out = dataset.num_rows
        tallies[0].rows_in = dataset.num_rows + sum(tallies[0].removed.values())
    if ledger.entries:
        dataset = _without_erased(_not_empty(dataset, tallies), ledger, stages.context(source), tallies[0])
    folders = [dataset.path]
    for whole, group in groupby(chain, key=lambda plugin: plugin.implements("mlm_transform")):
        for plugins in ([p] for p in group) if whole else [list(group)]:
            before = _not_empty(dataset, tallies)
            dataset = _whole(plugins[0], before, stages, tallies) if whole else _fused(plugins, before, stages, tallies)
            folders.append(dataset.path)
    return _assemble(_not_empty(dataset, tallies), folders, tallies, context)


class _Stages:
    """Gives each transform an empty folder of its own beside the step's."""

    def __init__(self, context: Context) -> None:
        self._context, self._count = context, 0
        self._root = context.work / "stages"
        self.clear()

    def clear(self) -> None:
        """Remove what the stages wrote; nothing of it is a checkpoint."""
        shutil.rmtree(self._root, ignore_errors=True)

    def context(self, plugin: Plugin) -> Context:
        folder = self._root / f"{self._count:02}-{plugin.ref.name}"
        self._count += 1
        folder.mkdir(parents=True)
        return evolve(self._context, folder=folder, step=plugin.ref.name)


def _read_tally(source: Plugin, dataset: Dataset) -> Tally:
    tally = Tally(source.ref.name, rows_out=dataset.num_rows)
    for row in dataset.removed():
        tally.removed[row["reason"]] = tally.removed.get(row["reason"], 0) + 1
    tally.rows_in = tally.rows_out + sum(tally.removed.values())
    return tally


def _with_added(dataset: Dataset, added: Sequence[Dataset], context: Context) -> Dataset:
    """Write the source's rows, then the added rows, cut to the source's columns."""
    import pyarrow.parquet as pq

    if dataset.num_rows == 0:
        raise DataError(f"the source '{context.step}' has no rows to add to")
    removed = [Removal(**row) for row in dataset.removed()]
    schema = pq.read_schema(dataset.files[0])
    with DatasetWriter(context.folder, context.step) as writer:
        for part in (dataset, *added):
            for batch in _batches(part):
                writer.write(Batch(_fitted(batch.table, schema)))
        for removal in removed:
            writer.write(Batch(schema.empty_table(), (removal,)))
    return writer.dataset


def _without_erased(dataset: Dataset, ledger: Ledger, context: Context, tally: Tally) -> Dataset:
    """Leave out what the ledger of erasures names: ids and sources are kept with the reason, never text."""
    import pyarrow.parquet as pq

    removed = list(dataset.removed())
    schema = pq.read_schema(dataset.files[0])
    with DatasetWriter(context.folder, context.step) as writer:
        for batch in _batches(dataset):
            hits = ledger.matches(batch.table, ledger.entries)
            ids, sources = batch.strings(ROW_ID), batch.strings(SOURCE)
            gone = tuple(Removal(ids[i], sources[i], "erased") for i, hit in enumerate(hits) if hit)
            writer.write(Batch(ledger.without(batch.table, ledger.entries), gone))
            tally.count(len(batch), batch, gone, 0)
        for row in removed:
            writer.write(Batch(schema.empty_table(), (Removal(**row),)))
    tally.rows_out = writer.dataset.num_rows
    tally.rows_in = tally.rows_out + sum(tally.removed.values())
    return writer.dataset


def _not_empty(dataset: Dataset, tallies: Sequence[Tally]) -> Dataset:
    if dataset.num_rows == 0:
        told = ", ".join(f"{tally.step} {tally.rows_in} -> {tally.rows_out}" for tally in tallies)
        raise DataError(f"no row is left: {told}")
    return dataset


def _fitted(table: Any, schema: Any) -> Any:
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


def _batches(dataset: Dataset) -> Iterator[Batch]:
    import pyarrow as pa

    for batch in dataset.batches(BATCH_ROWS):
        yield Batch(pa.Table.from_batches([batch]))


def _whole(plugin: Plugin, dataset: Dataset, stages: _Stages, tallies: list[Tally]) -> Dataset:
    made = plugin.transform(dataset, stages.context(plugin))
    removed = list(made.removed())
    tally = Tally(plugin.ref.name, dataset.num_rows, made.num_rows)
    for row in removed:
        tally.removed[row["reason"]] = tally.removed.get(row["reason"], 0) + 1
    _nothing_lost(plugin, tally.rows_in, tally.rows_out, len(removed))
    tallies.append(tally)
    return made


def _fused(plugins: list[Plugin], dataset: Dataset, stages: _Stages, tallies: list[Tally]) -> Dataset:
    contexts = [stages.context(plugin) for plugin in plugins]
    own = [Tally(plugin.ref.name) for plugin in plugins]
    with contexts[-1].writer() as writer:
        for batch in _batches(dataset):
            writer.write(_through(batch, plugins, contexts, own))
    tallies += own
    return writer.dataset


def _through(batch: Batch, plugins: list[Plugin], contexts: list[Context], tallies: list[Tally]) -> Batch:
    removals: tuple[Removal, ...] = ()
    changes: dict[str, int] = {}
    for plugin, context, tally in zip(plugins, contexts, tallies, strict=True):
        after = plugin.map(Batch(batch.table), context)
        _nothing_lost(plugin, len(batch), len(after), len(after.removals))
        tally.count(len(batch), after, after.removals, sum(after.changes.values()))
        removals += tuple(evolve(r, step=plugin.ref.name) for r in after.removals)
        for reason, count in after.changes.items():
            changes[reason] = changes.get(reason, 0) + count
        batch = after
    return Batch(batch.table, removals, changes)


def _nothing_lost(plugin: Plugin, before: int, after: int, removed: int) -> None:
    if before != after + removed:
        counts = f"{before} in, {after} out, {removed} removed with a reason"
        raise PluginError(f"{plugin.ref.identity} {plugin.ref.version} lost rows: {counts}")


def _assemble(dataset: Dataset, folders: list[Path], tallies: list[Tally], context: Context) -> Dataset:
    """Move the last stage's data into the step's folder, with the removals of all stages."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    context.folder.mkdir(parents=True, exist_ok=True)
    shutil.move(dataset.path / "data", context.folder / "data")
    removed = [pq.read_table(f / "removed.parquet") for f in folders if (f / "removed.parquet").exists()]
    pq.write_table(pa.concat_tables(removed), context.folder / "removed.parquet", compression="zstd")
    made = Dataset(context.folder)
    rows = {split: made.narrowed(split).num_rows for split in made.splits}
    reasons: dict[str, int] = {}
    for tally in tallies:
        for reason, count in tally.removed.items():
            reasons[reason] = reasons.get(reason, 0) + count
    statistics = {"rows": rows, "removed": reasons, "chain": [attrs.asdict(t) for t in tallies]}
    (context.folder / "statistics.json").write_text(json.dumps(statistics, indent=1), encoding="utf-8")
    return made
