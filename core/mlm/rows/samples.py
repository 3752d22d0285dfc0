"""Rows drawn at random: what a dataset kept, what it removed, what it changed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID
from mlm.rows import dataset_of
from mlm.rows.unfinished import unfinished as left_by
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
        Whole rows; of changed ones also `step`, `reason` and `detail`; of removed ones what `removed.parquet` keeps.
    """
    parts = _parts(registry, ref, unfinished)
    if which == "kept":
        return _drawn(parts[-1].rows(), count, seed)
    found = _aside(parts, which)
    wanted = (row for row in found if reason in (None, row["reason"]) and step in (None, row["step"]))
    drawn = _drawn(wanted, count, seed)
    return drawn if which == "removed" else _with_rows(parts[-1], drawn)


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


def _with_rows(data: Dataset, changes: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Put what a changed row holds now beside how it was changed; one that left later has nothing more."""
    import pyarrow.compute as pc

    ids = [change[ROW_ID] for change in changes]
    rows: dict[str, dict[str, Any]] = {}
    for batch in data.batches(16_384):
        hits = batch.filter(pc.is_in(batch.column(ROW_ID), _strings(ids)))
        rows |= {row[ROW_ID]: row for row in hits.to_pylist()}
    return [{**rows.get(change[ROW_ID], {}), **change} for change in changes]


def _strings(values: list[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())
