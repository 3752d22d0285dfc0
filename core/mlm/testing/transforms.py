"""What transforms keep to."""

from __future__ import annotations

from typing import Any

from mlm.batches import ROW_ID, SOURCE, Batch
from mlm.errors import DataError
from mlm.testing.bench import Bench, digest_of, identified, table_of
from mlm.testing.checking import check, demand

_ODD = (
    "",
    " ",
    "\n\t",
    "a" * 20_000,
    "\u202eabc",
    "e\u0301",
    "\U0001f600" * 50,
    "\x00null",
    "<script>",
    "ÅÄÖ 漢字 مرحبا",
)


@check("transforms")
def gives_the_same_again(bench: Bench) -> None:
    """The same rows give the same result, from a plugin that was used before too."""
    if not bench.plugin().implements("mlm_map"):
        one, other = (_transformed(bench) for _ in range(2))
        demand(one == other, "the same dataset gave another result; draw chance from context.seed alone")
        return
    plugin, table = bench.plugin(), table_of(bench.rows)
    first = plugin.map(Batch(table), bench.context())
    again = plugin.map(Batch(table), bench.context())
    fresh = bench.plugin().map(Batch(table), bench.context())
    demand(
        _seen(first) == _seen(again) == _seen(fresh),
        "the same rows gave another result; keep nothing between two batches, and draw chance from context.seed alone",
    )


@check("transforms")
def does_not_depend_on_batches(bench: Bench) -> None:
    """How rows fall into batches changes nothing, where it is row-wise."""
    if not bench.plugin().implements("mlm_map"):
        return
    rows = identified([*bench.rows, *_odd_rows(bench)])
    table = table_of(rows)
    whole = _seen(bench.plugin().map(Batch(table), bench.context()))
    for size in (1, 7):
        plugin = bench.plugin()
        parts = [
            plugin.map(Batch(table_of(rows[start : start + size], table.schema)), bench.context())
            for start in range(0, len(rows), size)
        ]
        joined = (
            [row for part in parts for row in _seen(part)[0]],
            [gone for part in parts for gone in _seen(part)[1]],
        )
        demand(
            joined == whole,
            f"batches of {size} rows gave another result than one of {len(rows)}: what needs all rows at once is"
            " `mlm_transform`",
        )


@check("transforms")
def loses_no_row_without_a_reason(bench: Bench) -> None:
    """Each row that goes in comes out, or is removed with a reason; ids and sources stay."""
    rows = identified([*bench.rows, *_odd_rows(bench)])
    plugin = bench.plugin()
    if not plugin.implements("mlm_map"):
        try:
            data = plugin.transform(bench.dataset(rows), bench.context())
        except DataError:
            return  # It refuses all of them, and says why.
        kept, gone = list(data.rows()), list(data.removed())
        reasons = [str(row["reason"]) for row in gone]
        lost = {row[ROW_ID] for row in rows} - {row[ROW_ID] for row in kept} - {row["row_id"] for row in gone}
        parents = {parent for row in kept for parent in row.get("parents") or ()}
        lost -= parents
    else:
        result = plugin.map(Batch(table_of(rows)), bench.context())
        kept, reasons = result.table.to_pylist(), [removal.reason for removal in result.removals]
        lost = {row[ROW_ID] for row in rows} - {row[ROW_ID] for row in kept} - {r.row_id for r in result.removals}
    demand(not lost, f"{len(lost)} of {len(rows)} rows are gone without a reason; take rows out with `batch.remove`")
    ids = [row[ROW_ID] for row in kept]
    demand(len(set(ids)) == len(ids), f"{len(ids) - len(set(ids))} rows come out twice under one {ROW_ID}")
    demand(all(reasons), "a row was removed with an empty reason")
    demand(all(row.get(ROW_ID) and row.get(SOURCE) for row in kept), f"a row lost its {ROW_ID} or its {SOURCE}")


@check("transforms")
def leaves_its_input_alone(bench: Bench) -> None:
    """What it is given is as before: others read it too."""
    plugin = bench.plugin()
    if not plugin.implements("mlm_map"):
        data = bench.dataset()
        before = digest_of(data.path)
        plugin.transform(data, bench.context())
        demand(digest_of(data.path) == before, "it changed the dataset that it was given; write into context.folder")
        return
    batch = Batch(table_of(bench.rows))
    before_rows = batch.table.to_pylist()
    plugin.map(batch, bench.context())
    demand(batch.table.to_pylist() == before_rows and not batch.removals, "it changed the batch that it was given")


@check("transforms")
def bears_no_rows(bench: Bench) -> None:
    """A batch without rows comes back without rows."""
    plugin = bench.plugin()
    if plugin.implements("mlm_map"):
        result = plugin.map(Batch(table_of(bench.rows).slice(0, 0)), bench.context())
        demand(len(result) == 0, f"it made {len(result)} rows of none")


def _odd_rows(bench: Bench) -> list[dict[str, Any]]:
    """Make rows of texts that are easily overlooked."""
    texts = (name for row in bench.rows for name, value in row.items() if isinstance(value, str))
    columns = [name for name in texts if name not in (ROW_ID, SOURCE)]
    return [dict.fromkeys(columns, text) for text in _ODD]


def _seen(batch: Batch) -> tuple[list[dict[str, Any]], list[tuple[str, str, str]]]:
    return batch.table.to_pylist(), [(r.row_id, r.reason, r.detail) for r in batch.removals]


def _transformed(bench: Bench) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    data = bench.plugin().transform(bench.dataset(), bench.context())
    return list(data.rows()), [(row["row_id"], row["reason"]) for row in data.removed()]
