"""Transforms: row-wise and whole, honest and not."""

from __future__ import annotations

import threading
from typing import Any

from attrs import define

import mlm


@define(kw_only=True)
class Shout:
    """Writes all text in capitals."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.map_text(str.upper, "shouted")


@define(kw_only=True)
class Whereabouts:
    """Notes in which thread a row was treated."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.with_column("thread", [threading.current_thread().name] * len(batch))


@define(kw_only=True)
class Drop:
    """Removes rows that hold a word."""

    word: str = mlm.setting(help="the word")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.remove([self.word if self.word in text else None for text in batch.texts()], "dropped")


@define(kw_only=True)
class Backwards:
    """Puts the last row first; removes the rows of a prompt that comes again."""

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        table = pa.Table.from_batches(list(data.batches()))
        table = table.take(list(reversed(range(table.num_rows))))
        seen: set[str] = set()
        again = [prompt if prompt in seen or seen.add(prompt) else None for prompt in table["prompt"].to_pylist()]
        with context.writer() as writer:
            writer.write(mlm.Batch(table).remove(again, "again"))
        return writer.dataset


@define(kw_only=True)
class Loses:
    """Breaks its word: rows vanish without a reason."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return mlm.Batch(batch.table.slice(1))


@define(kw_only=True)
class LosesWhole:
    """Breaks its word over the whole dataset."""

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        with context.writer() as writer:
            writer.write(mlm.Batch(pa.Table.from_batches(list(data.batches())).slice(2)))
        return writer.dataset


@define(kw_only=True)
class Untyped:
    """Breaks its word: gives a list where a batch is due."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> Any:
        return batch.table.to_pylist()
