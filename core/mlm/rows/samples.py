"""Rows drawn at random: what a dataset kept, what it removed, what it changed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID
from mlm.dataset_writer import REMOVED
from mlm.row_groups import tables
from mlm.rows import dataset_of
from mlm.rows.unfinished import unfinished as left_by
from mlm.rows.wording import because, differing
from mlm_registry import Registry

Which = Literal["kept", "removed", "changed"]


def sample(
    registry: Registry,
    ref: str,
    which: Which = "kept",
    *,
    reason: str | None = None,
    step: str | None = None,
    count: int = 5,
    seed: int = 0,
    unfinished: bool = False,
) -> list[Mapping[str, Any]]:
    """Draw rows, each equally likely (algorithm R, Vitter 1985), in the order in which they lie.

    Args:
        reason: Of removed or changed rows, only those with this reason.
        step: Of removed or changed rows, only those of this transform.
        unfinished: Of what the newest try of step `ref` left, which failed or was interrupted.

    Returns:
        Whole rows; of removed ones what `removed.parquet` keeps. Changed ones have also `step`, `reason` and `detail`,
        `before` with what the dataset's version before held in the columns that differ, and, where a later transform
        took the row, `removed_by`, `source` and `text`.
    """
    parts = _parts(registry, ref, unfinished)
    if which == "kept":
        return _drawn(parts[-1].rows(), count, seed)
    found = _aside(parts, which)
    wanted = (row for row in found if reason in (None, row["reason"]) and step in (None, row["step"]))
    drawn = _drawn(wanted, count, seed)
    if which == "removed":
        return drawn
    return _with_rows(parts, None if unfinished else _version_before(registry, ref), drawn)


def reasons(registry: Registry, ref: str, which: Which, *, unfinished: bool = False) -> Counter[tuple[str, str]]:
    """Count the removed or changed rows of a dataset by transform and reason."""
    return Counter((row["step"], row["reason"]) for row in _aside(_parts(registry, ref, unfinished), which))


def _parts(registry: Registry, ref: str, unfinished: bool) -> list[Dataset]:
    return left_by(registry, ref) if unfinished else [dataset_of(registry, ref)[1]]


def _aside(parts: Sequence[Dataset], which: Which) -> Iterator[dict[str, Any]]:
    for part in parts:
        yield from part.removed() if which == "removed" else part.changed()


def _drawn(rows: Iterator[dict[str, Any]], count: int, seed: int) -> list[Mapping[str, Any]]:
    chance = random.Random(seed)  # noqa: S311
    kept: list[tuple[int, Mapping[str, Any]]] = []
    for place, row in enumerate(rows):
        if len(kept) < count:
            kept.append((place, row))
        elif (slot := chance.randrange(place + 1)) < count:
            kept[slot] = (place, row)
    return [row for _, row in sorted(kept, key=lambda item: item[0])]


def _version_before(registry: Registry, ref: str) -> Dataset | None:
    """Return the newest older version of a dataset that is stored still."""
    node = dataset_of(registry, ref)[0]
    for version in range(node.version - 1, 0, -1):
        older = registry.node(f"{node.name}@{version}")
        if registry.objects.has(older.digest):
            return dataset_of(registry, older.ref)[1]
    return None


def _with_rows(
    parts: Sequence[Dataset], before: Dataset | None, changes: list[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Put what is known of a row beside how it was changed: what it holds and held, or what was kept of it."""
    ids = [change[ROW_ID] for change in changes]
    now, then = _found(parts[-1].batches(16_384), ids), _found(before.batches(16_384) if before else (), ids)
    gone = _found(tables(part.path / REMOVED for part in parts), ids)
    rows: list[Mapping[str, Any]] = []
    for change in changes:
        row = now.get(change[ROW_ID], {})
        held = {name: was for name, (was, _) in differing(then.get(change[ROW_ID], {}), row).items()}
        rows.append({**row, **_kept_of(gone.get(change[ROW_ID])), **change, **({"before": held} if held else {})})
    return rows


def _kept_of(removed: Mapping[str, Any] | None) -> dict[str, Any]:
    if removed is None:
        return {}
    why = because(removed["step"], removed["reason"], removed["detail"])
    return {"source": removed["source"], "removed_by": why, "text": removed["text"]}


def _found(batches: Iterable[Any], ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return the rows that have one of the ids, by id."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows: dict[str, dict[str, Any]] = {}
    for batch in batches:
        hits = batch.filter(pc.is_in(batch.column(ROW_ID), pa.array(ids, pa.string())))
        rows |= {row[ROW_ID]: row for row in hits.to_pylist()}
    return rows
