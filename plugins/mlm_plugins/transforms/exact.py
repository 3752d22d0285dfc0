"""Exact duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

import mlm
from mlm_plugins.detectors.columns import utf8
from mlm_plugins.detectors.folding import folding
from mlm_plugins.transforms.firsts import without
from mlm_plugins.transforms.reading import batches, compared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PARTS = 16
"""Digests are sorted in so many parts, as sorting takes four times the memory of what is sorted."""


@define(kw_only=True)
class Exact:
    """Removes rows that equal an earlier row, letter case and white space aside.

    Rows are compared by digests of 128 bits: 21 bytes of memory a row. Conversations are compared with their roles,
    tool calls and the tools that they offer.
    """

    columns: list[str] = mlm.setting(
        factory=list, help="columns that are compared; without any, all text columns and tools"
    )

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        first = firsts(self._digests(data, context.step))
        return without(data, first, lambda row, kept: f"same as {kept}", "duplicate", context)

    def _digests(self, data: mlm.Dataset, step: str) -> NDArray[np.uint64]:
        import numpy as np

        from mlm_plugins.detectors.kernels import digests

        found = np.empty((data.num_rows, 2), np.uint64)
        start = 0
        for batch in batches(data):
            texts, is_blank = compared(batch, self.columns, step)
            part = found[start : start + len(batch)]
            digests(*utf8(texts), folding(), part)
            blank = np.flatnonzero(is_blank)
            # A key of its own for each: its place, and what no digest is likely to end with.
            part[blank, 0], part[blank, 1] = start + blank, np.uint64(2**64 - 1)
            start += len(batch)
        return found


def firsts(keys: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return for each key, (keys, 2), the place of the first one that is equal, or -1 where it is the first itself."""
    import numpy as np

    found = np.full(len(keys), -1, np.int32)
    parts = np.empty(len(keys), np.uint8)
    np.remainder(keys[:, 0], _PARTS, out=parts, casting="unsafe")
    for part in range(_PARTS):
        places = np.flatnonzero(parts == part)
        order = places[np.lexsort(keys[places].T)]
        new = np.ones(len(order), np.bool_)
        new[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
        # The sort is stable, so the first of equal keys is the earliest row.
        again = ~new
        found[order[again]] = order[new][np.cumsum(new)[again] - 1]
    return found
