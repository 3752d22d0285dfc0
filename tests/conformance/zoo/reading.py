"""Broken sources and transforms."""

from __future__ import annotations

import random
import time
from typing import Any

from attrs import define, field

import mlm


def _write(context: mlm.Context, rows: list[dict[str, Any]]) -> mlm.Dataset:
    import pyarrow as pa

    with context.writer() as writer:
        writer.write(mlm.Batch(pa.Table.from_pylist(rows)))
    return writer.dataset


def _rows(count: int = 5) -> list[dict[str, Any]]:
    return [{"row_id": f"row-{n}", "source": f"made:{n}", "text": f"text {n}"} for n in range(count)]


@define(kw_only=True)
class ForgetfulIds:
    """Makes new ids at every read."""

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        return _write(context, [{**row, "row_id": f"{random.random()}"} for row in _rows()])


@define(kw_only=True)
class SharedIds:
    """Gives two rows one id."""

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        return _write(context, [{**row, "row_id": "the same"} for row in _rows()])


@define(kw_only=True)
class Scribbler:
    """Leaves a file beside the project."""

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        (context.project / "seen.txt").write_text("I was here")
        return _write(context, _rows())


@define(kw_only=True)
class Clock:
    """Says that its content is new whenever it is asked."""

    @mlm.hookimpl
    def mlm_version(self, context: mlm.Context) -> str:
        return str(time.time_ns())

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        return _write(context, _rows())


@define(kw_only=True)
class Loser:
    """Takes every third row out and tells nobody."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        import pyarrow as pa
        from attrs import evolve

        keep = pa.array([int(row, 16) % 3 != 0 for row in batch.strings("row_id")], pa.bool_())
        return evolve(batch, table=batch.table.filter(keep))


@define(kw_only=True)
class Counter:
    """Numbers the rows of a batch, whose size is nobody's business."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.with_column("number", list(range(len(batch))))


@define(kw_only=True)
class Dice:
    """Changes rows by chance."""

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        return _write(context, [{**row, "draw": random.random()} for row in data.rows()])


@define(kw_only=True)
class Vandal:
    """Writes into the dataset that it was given."""

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        made = _write(context, list(data.rows()))
        (data.path / "seen.txt").write_text("I was here")
        return made


@define(kw_only=True)
class Inventor:
    """Makes a row of none."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        import pyarrow as pa
        from attrs import evolve

        if len(batch):
            return batch
        return evolve(batch, table=pa.table({"row_id": ["new"], "source": ["nowhere"]}))


@define(kw_only=True)
class Mute:
    """Has a setting that nobody explains."""

    depth: int = field(default=3)

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch


@define
class Placed:
    """Takes its settings by their place."""

    depth: int = mlm.setting(3, help="how deep")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch


@define(kw_only=True)
class Undocumented:
    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch


@define(kw_only=True)
class Demanding:
    """Asks for what the hook does not offer, unless it gets a default."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, tokenizer: object = None) -> mlm.Batch:
        return batch


def sources() -> list[tuple[str, type[Any], str]]:
    """List kind, class and the check that finds it."""
    return [
        ("sources", ForgetfulIds, "reads_the_same_again"),
        ("sources", SharedIds, "reads_rows_with_ids"),
        ("sources", Scribbler, "writes_only_to_its_folder"),
        ("sources", Clock, "tells_one_version_of_one_content"),
        ("transforms", Loser, "loses_no_row_without_a_reason"),
        ("transforms", Counter, "does_not_depend_on_batches"),
        ("transforms", Dice, "gives_the_same_again"),
        ("transforms", Vandal, "leaves_its_input_alone"),
        ("transforms", Inventor, "bears_no_rows"),
        ("transforms", Mute, "explains_its_settings"),
        ("transforms", Placed, "explains_its_settings"),
        ("transforms", Undocumented, "says_what_it_does"),
        ("transforms", Demanding, "takes_only_what_a_hook_offers"),
    ]
