"""A dataset without the rows that repeat an earlier one: what exact and near duplicates have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import mlm
from mlm_plugins.transforms.reading import batches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@contextmanager
def scratch(context: mlm.Context) -> Iterator[Path]:
    """Give a folder on disk for what does not fit into memory, and empty it."""
    context.work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=context.work) as folder:
        yield Path(folder)


def without(
    data: mlm.Dataset, first: NDArray[np.int32], told: Callable[[int, str], str], reason: str, context: mlm.Context
) -> mlm.Dataset:
    """Write the rows that repeat no other.

    Args:
        first: For each row the number of the earlier row that it repeats, or -1.
        told: Says in words, of a row's number and the id of the row that it repeats, why it goes.
    """
    import numpy as np

    named = np.unique(first[first >= 0])
    ids: list[str] = []
    start = 0
    with context.writer() as writer:
        for batch in batches(data):
            own = batch.table.column("row_id")
            end = start + len(batch)
            ids += own.take(named[np.searchsorted(named, start) : np.searchsorted(named, end)] - start).to_pylist()
            details: list[str | None] = [None] * len(batch)
            for place in np.flatnonzero(first[start:end] >= 0):
                row = start + int(place)
                details[place] = told(row, ids[np.searchsorted(named, first[row])])
            writer.write(batch.remove(details, reason))
            start = end
    return writer.dataset
