"""A data step: read the source, add what amendments bring, and send the rows through the chain.

Consecutive row-wise transforms share one pass. After each transform the core counts: rows in = rows out + rows removed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from attrs import asdict, evolve

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID, SOURCE, Batch, Change, Removal
from mlm.calls import Plugin
from mlm.context import Context, silent
from mlm.dataset_writer import CHANGED, REMOVED, fitted
from mlm.errors import DataError, PluginError
from mlm.ledger import Ledger
from mlm.row_groups import tables
from mlm.shards import BATCH_ROWS, Shard, ShardWork, here, nothing_lost, shards_of
from mlm.stages import Made, Stages, gather, joined_files
from mlm.tallies import Tally, summed, tally_of

Spread = Callable[[Callable[[Shard], int], Sequence[Shard], Context], Iterable[int]]
"""Runs the work on every shard somewhere, and gives the rows of each once it is done."""
HasRead = Callable[[Plugin], None]
"""Is told of a plugin that has read; raises where the files of its settings changed meanwhile."""


def curate(
    source: Plugin,
    chain: Sequence[Plugin],
    added: Sequence[Dataset],
    ledger: Ledger,
    context: Context,
    executor: Plugin | None = None,
    has_read: HasRead = lambda plugin: None,
) -> Dataset:
    """Run a data step and return the stored dataset in `context.folder`; what was erased does not come back."""
    stages = Stages(context, ",".join(entry.name for entry in ledger.entries))
    data = stages.run(source.ref.name, _checked(partial(_read, source), [source], has_read))
    if added:
        data = stages.run("added", partial(_with_added, source, data, added))
    if ledger.entries:
        before = list(stages.folders)
        data = stages.run("erased", partial(_without_erased, ledger, before, data))
        for folder in before:
            # The new stage has what of it may stay.
            for name in (REMOVED, CHANGED):
                (folder / name).unlink(missing_ok=True)
    spread = here if executor is None or not executor.implements("mlm_spread") else executor.spread
    for whole, group in groupby(chain, key=lambda plugin: plugin.implements("mlm_transform")):
        for plugins in ([p] for p in group) if whole else [list(group)]:
            name = "+".join(plugin.ref.name for plugin in plugins)[:80]
            make = partial(_whole, plugins[0], data) if whole else partial(_fused, plugins, data, spread)
            data = stages.run(name, _checked(make, plugins, has_read))
    _assemble(data, stages, context)
    stages.clear()
    return Dataset(context.folder)


def _checked(make: Made, plugins: Sequence[Plugin], has_read: HasRead) -> Made:
    """Return the maker of a stage that is not kept where what its plugins read has changed."""

    def checked(context: Context) -> list[Tally]:
        tallies = make(context)
        for plugin in plugins:
            has_read(plugin)
        return tallies

    return checked


def _read(source: Plugin, context: Context) -> list[Tally]:
    tally = tally_of(source.ref.name, source.read(context))
    if not tally.rows_in:
        path = getattr(source.instance, "path", None)
        raise DataError(f"no row was read: {path or 'what ' + repr(tally.step) + ' reads'} holds none")
    return [tally]


def _with_added(source: Plugin, dataset: Dataset, added: Sequence[Dataset], context: Context) -> list[Tally]:
    """Write the source's rows, then the added rows, cut to the source's columns."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(dataset.files[0])
    with context.writer() as writer:
        for part in (dataset, *added):
            for batch in _batches(part):
                writer.write(Batch(fitted(batch.table, schema)))
    rows = writer.dataset.num_rows
    return [Tally("added", rows, rows)]


def _without_erased(ledger: Ledger, before: Sequence[Path], dataset: Dataset, context: Context) -> list[Tally]:
    """Leave out what the ledger of erasures names, among the rows and among what was set aside.

    Ids and sources are kept with the reason, never text.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    erased, gone = 0, set[str]()
    with context.writer() as writer:
        for table in (batch.table for batch in _batches(dataset)):
            hits = pa.array(ledger.matches(table, ledger.entries), pa.bool_())
            rows = table.select([ROW_ID, SOURCE]).filter(hits).to_pylist()
            gone |= {row[ROW_ID] for row in rows}
            erased += len(rows)
            removals = tuple(Removal(row[ROW_ID], row[SOURCE], "erased") for row in rows)
            writer.write(Batch(table.filter(pc.invert(hits)), removals))
        schema = table.schema.empty_table()
        for table in tables(folder / REMOVED for folder in before):
            hits = ledger.matches(table, ledger.entries)
            rows = table.to_pylist()
            gone |= {row[ROW_ID] for row, hit in zip(rows, hits, strict=True) if hit}
            kept = [
                Removal(**(row | {"text": "", "detail": "", "subject": ""} if hit else row))
                for row, hit in zip(rows, hits, strict=True)
            ]
            writer.write(Batch(schema, tuple(kept)))
        for table in tables(folder / CHANGED for folder in before):
            for row in table.to_pylist():
                if row[ROW_ID] not in gone:
                    change = Change(row["reason"], (row[ROW_ID],), (row["detail"],), row["step"])
                    writer.write(Batch(schema, (), (change,)))
    return [Tally("erased", dataset.num_rows, writer.dataset.num_rows, removed={"erased": erased} if erased else {})]


def _batches(dataset: Dataset) -> Iterator[Batch]:
    import pyarrow as pa

    for batch in dataset.batches(BATCH_ROWS):
        yield Batch(pa.Table.from_batches([batch]))


def _whole(plugin: Plugin, dataset: Dataset, context: Context) -> list[Tally]:
    tally = tally_of(plugin.ref.name, plugin.transform(dataset, context), dataset.num_rows)
    nothing_lost(plugin, tally.rows_in, tally.rows_out, sum(tally.removed.values()))
    return [tally]


def _fused(plugins: Sequence[Plugin], dataset: Dataset, spread: Spread, context: Context) -> list[Tally]:
    shards = shards_of(dataset)
    contexts = tuple(evolve(context, step=plugin.ref.name, progress=silent) for plugin in plugins)
    work = ShardWork(tuple(plugins), contexts, context.work / "shards")
    waiting = [shard for shard in shards if work.done(shard) is None]
    _run(work, waiting, spread, context, dataset.num_rows)
    own = [Tally(plugin.ref.name) for plugin in plugins]
    for shard in shards:
        for tally, part in zip(own, work.done(shard) or _not_run(shard), strict=True):
            tally.add(part)
    places = [work.place(shard) for shard in shards]
    gather([Dataset(place) for place in places], context.folder)
    for name in (REMOVED, CHANGED):
        joined_files([place / name for place in places], context.folder / name)
    return own


def _run(work: ShardWork, waiting: Sequence[Shard], spread: Spread, context: Context, total: int) -> None:
    """Run the shards that are not done yet, and tell how fast the rows go by."""
    done = before = total - sum(shard.rows for shard in waiting)
    started = time.monotonic()
    for rows in spread(work, waiting, context):
        done += rows
        rate = (done - before) / max(time.monotonic() - started, 1e-9)
        context.progress(done, total, f"{context.step}  {done:,} of {total:,} rows, {rate:,.0f} rows/s")


def _not_run(shard: Shard) -> list[Tally]:
    raise PluginError(f"the executor did not run shard {shard.number}: it must call the work once with every shard")


def _assemble(dataset: Dataset, stages: Stages, context: Context) -> None:
    """Link the last stage's data into the step's folder, with the removals and changes of all stages."""
    context.folder.mkdir(parents=True, exist_ok=True)
    made = gather([dataset], context.folder)
    for name in (REMOVED, CHANGED):
        joined_files([folder / name for folder in stages.folders], context.folder / name)
    statistics = {
        "rows": {split: made.narrowed(split).num_rows for split in made.splits},
        "removed": summed(tally.removed for tally in stages.tallies),
        "chain": [asdict(tally) for tally in stages.tallies],
    }
    (context.folder / "statistics.json").write_text(json.dumps(statistics, indent=1), encoding="utf-8")
