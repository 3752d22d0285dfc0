"""Ids of rows, in a few bytes a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@define
class RowIds:
    """Gives ids that survive insertions elsewhere: a digest of the row, and which of its equals it is.

    Remembers eight bytes a row, in sorted runs of which none is as long as half the one before; only rows that come
    again have a Python object.
    """

    _runs: list[NDArray[np.uint64]] = field(factory=list)
    _occurrences: dict[int, int] = field(factory=dict)

    def of(self, rows: Sequence[bytes]) -> list[str]:
        """Return the ids of the next rows by their bytes; the second of two equal rows ends in `:2`."""
        import numpy as np
        from blake3 import blake3

        digests = [blake3(row).digest(8) for row in rows]
        ids = [digest.hex() for digest in digests]
        keys = np.frombuffer(b"".join(digests), np.uint64)
        new, first = np.unique(keys, return_index=True)
        known = self._holds(keys)
        if len(new) < len(keys) or known.any():
            again = known.copy()
            again[np.setdiff1d(np.arange(len(keys)), first)] = True
            for index in np.flatnonzero(again).tolist():
                key = int(keys[index])
                occurrence = self._occurrences[key] = self._occurrences.get(key, 1) + 1
                ids[index] = f"{ids[index]}:{occurrence}"
            new = new[~self._holds(new)]
        self._remember(new)
        return ids

    def _holds(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        import numpy as np

        found = np.zeros(len(keys), np.bool_)
        for run in self._runs:
            place = np.searchsorted(run, keys)
            found |= run[np.minimum(place, len(run) - 1)] == keys
        return found

    def _remember(self, new: NDArray[np.uint64]) -> None:
        import numpy as np

        if not len(new):
            return
        while self._runs and len(self._runs[-1]) < 2 * len(new):
            new = np.sort(np.concatenate([self._runs.pop(), new]), kind="stable")
        self._runs.append(new)
