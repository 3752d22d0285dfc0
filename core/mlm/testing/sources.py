"""What sources keep to."""

from __future__ import annotations

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID, SOURCE
from mlm.testing.bench import Bench, changed, files_of
from mlm.testing.checking import check, demand


@check("sources")
def reads_rows_with_ids(bench: Bench) -> None:
    """Every row has an id of its own, and a source."""
    rows = list(_read(bench).rows())
    demand(bool(rows), "it read no row; the conformance test must configure it with data that it can read")
    demand(all(row.get(ROW_ID) and row.get(SOURCE) for row in rows), f"a row has no {ROW_ID} or no {SOURCE}")
    ids = [row[ROW_ID] for row in rows]
    demand(len(set(ids)) == len(ids), f"{len(ids) - len(set(ids))} rows share their {ROW_ID} with another")


@check("sources")
def reads_the_same_again(bench: Bench) -> None:
    """A second read gives the same rows with the same ids, in the same order."""
    first, second = list(_read(bench).rows()), list(_read(bench).rows())
    demand(
        [row[ROW_ID] for row in first] == [row[ROW_ID] for row in second],
        f"a second read gives other {ROW_ID}s; derive them from what a row holds or where it lies, never from chance",
    )
    demand(first == second, "a second read gives other rows; order and content must not depend on the moment")


@check("sources")
def writes_only_to_its_folder(bench: Bench) -> None:
    """It writes into the context's folder, or `work`, and leaves what it reads as it was."""
    plugin, context = bench.plugin(), bench.context()
    before = files_of(bench.folder)
    data = plugin.read(context)
    demand(data.path.is_relative_to(context.folder), f"its dataset is in {data.path}, not in the context's folder")
    touched = [
        name
        for name in changed(bench.folder, before, context.folder)
        if not (bench.folder / name).is_relative_to(context.work)
    ]
    demand(not touched, f"it wrote or deleted {', '.join(touched[:3])}; write into context.folder alone")


@check("sources")
def tells_one_version_of_one_content(bench: Bench) -> None:
    """Where it has `mlm_version`, the token stays the same while the content does."""
    plugin = bench.plugin()
    if plugin.implements("mlm_version"):
        first, second = plugin.version(bench.context()), plugin.version(bench.context())
        demand(first == second, f"mlm_version said {first!r}, then {second!r} of the same content")


def _read(bench: Bench) -> Dataset:
    return bench.plugin().read(bench.context())
