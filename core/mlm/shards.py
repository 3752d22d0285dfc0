"""One pass of row-wise transforms over a dataset, cut into shards that can run anywhere and in any order.

A shard is a run of row groups. What comes of it depends on the shard alone, so the result is the same for any number of
workers; a finished shard is found again after an interruption.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import asdict, evolve, frozen

from mlm.artifacts import Dataset
from mlm.batches import Batch, Change, Removal
from mlm.calls import Plugin
from mlm.context import Context
from mlm.dataset_writer import GROUP_ROWS, DatasetWriter
from mlm.errors import PluginError
from mlm.row_groups import record_batches
from mlm.tallies import Tally
from mlm.writing import write_text

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 4096
_SHARD_BYTES = 64_000_000
_MOST_SHARDS = 256
"""Shards of a large dataset: each becomes a part of it, and each is a unit of work and of progress."""


@frozen
class Shard:
    """Some row groups of one file."""

    number: int
    file: Path
    groups: tuple[int, ...]
    rows: int

    def batches(self) -> Iterator[pa.Table]:
        """Read the shard's rows in tables of at most BATCH_ROWS."""
        import pyarrow as pa

        for batch in record_batches(self.file, BATCH_ROWS, groups=self.groups):
            yield pa.Table.from_batches([batch])


def shards_of(dataset: Dataset) -> list[Shard]:
    """Cut a dataset into shards; the cut depends on its rows alone."""
    import pyarrow.parquet as pq

    files = [(file, pq.read_metadata(file)) for file in dataset.files]
    sizes = [one.row_group(group).total_byte_size for _, one in files for group in range(one.num_row_groups)]
    least = max(GROUP_ROWS, sum(one.num_rows for _, one in files) // _MOST_SHARDS)
    heaviest = max(_SHARD_BYTES, sum(sizes) // _MOST_SHARDS)
    shards: list[Shard] = []
    for file, metadata in files:
        groups: list[int] = []
        rows = size = 0
        for group in range(metadata.num_row_groups):
            groups.append(group)
            rows += metadata.row_group(group).num_rows
            size += metadata.row_group(group).total_byte_size
            if rows >= least or size >= heaviest or group == metadata.num_row_groups - 1:
                shards.append(Shard(len(shards), file, tuple(groups), rows))
                groups, rows, size = [], 0, 0
    return shards


@frozen
class ShardWork:
    """What is done to every shard. It can be pickled where its plugins can."""

    plugins: tuple[Plugin, ...]
    contexts: tuple[Context, ...]
    folder: Path
    """Each shard's product is in a folder of its number."""

    def __call__(self, shard: Shard) -> int:
        """Send a shard through the transforms, store what comes out, and return the number of rows that went in."""
        place = self.place(shard)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        tallies = [Tally(plugin.ref.name) for plugin in self.plugins]
        try:
            with DatasetWriter(place) as writer:
                for table in shard.batches():
                    writer.write(self._through(Batch(table), tallies))
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        # Written last, it says that the shard is done.
        write_text(place / "tallies.json", json.dumps([asdict(tally) for tally in tallies]))
        return shard.rows

    def place(self, shard: Shard) -> Path:
        return self.folder / f"{shard.number:05}"

    def done(self, shard: Shard) -> list[Tally] | None:
        """Return what came of a shard; None where it was not finished."""
        marker = self.place(shard) / "tallies.json"
        if not marker.exists():
            return None
        return [Tally(**tally) for tally in json.loads(marker.read_text(encoding="utf-8"))]

    def _through(self, batch: Batch, tallies: Sequence[Tally]) -> Batch:
        removals: tuple[Removal, ...] = ()
        changes: tuple[Change, ...] = ()
        for plugin, context, tally in zip(self.plugins, self.contexts, tallies, strict=True):
            after = plugin.map(Batch(batch.table), context)
            nothing_lost(plugin, len(batch), len(after), len(after.removals))
            tally.count(len(batch), after)
            removals += tuple(evolve(r, step=plugin.ref.name) for r in after.removals)
            changes += tuple(evolve(c, step=plugin.ref.name) for c in after.changes)
            batch = after
        return Batch(batch.table, removals, changes)


def nothing_lost(plugin: Plugin, before: int, after: int, removed: int) -> None:
    """Raise PluginError unless each row that went in came out or was removed with a reason."""
    if before != after + removed:
        counts = f"{before} in, {after} out, {removed} removed with a reason"
        raise PluginError(f"{plugin.ref.identity} {plugin.ref.version} lost rows: {counts}")


def here(work: Callable[[Shard], int], shards: Sequence[Shard], context: Context) -> Iterator[int]:
    """Run every shard in this process, one after another."""
    return map(work, shards)
