"""Units of rows that stay together, taken in the order of their numbers until a share of the rows is reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import Factory, define, field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PARTS = 64
"""Numbers are sorted in so many parts, as a sort with places and counts takes eight times the memory of the numbers."""


def _empty(self: Units) -> NDArray[np.uint64]:
    import numpy as np

    return np.empty(self.count, np.uint64)


def _zeros(self: Units) -> NDArray[np.int32]:
    import numpy as np

    return np.zeros(self.count, np.int32)


@define
class Units:
    """What is remembered of rows: numbers, 14 bytes for each, and not their texts."""

    count: int
    order: NDArray[np.uint64] = field(init=False, default=Factory(_empty, takes_self=True))
    """For each row the number of its unit: rows of one number are one unit."""
    stratum: NDArray[np.int32] = field(init=False, default=Factory(_zeros, takes_self=True))
    """For each row its stratum, of which a share is taken; a unit belongs to the stratum of its first row."""

    def join(self, links: list[NDArray[np.uint64]]) -> None:
        """Make one unit of rows that are linked by equal values of any column, by however many others."""
        import numpy as np

        columns = [np.unique(column, return_inverse=True)[1] for column in (self.order, *links)]
        while self.count:
            before = self.order.copy()
            for column in columns:
                least = np.full(column.max() + 1, np.iinfo(np.uint64).max, np.uint64)
                np.minimum.at(least, column, self.order)
                self.order[:] = least[column]
            if (self.order == before).all():
                return

    def taken(self, share: float) -> NDArray[np.bool_]:
        """Return which rows belong to the units that are taken: of each stratum the first, in order of their numbers.

        A unit joins where it brings the number of rows nearer to what is wanted.
        """
        import numpy as np

        parts = np.empty(self.count, np.uint8)
        np.floor_divide(self.order, np.uint64(2**64 // _PARTS), out=parts, casting="unsafe")
        rows = np.zeros(int(self.stratum.max(initial=0)) + 1, np.int64)
        for stratum, sizes, _, _ in self._sorted(parts):
            np.add.at(rows, stratum, sizes)
        wanted = [round(share * count) for count in rows.tolist()]
        taken = np.zeros(self.count, np.bool_)
        for stratum, sizes, unit, places in self._sorted(parts):
            chosen = np.zeros(sizes.size, np.bool_)
            # One sort for all strata: the units of each stand together, in their order.
            by_stratum = np.argsort(stratum, kind="stable")
            found, starts = np.unique(stratum[by_stratum], return_index=True)
            for code, units in zip(found.tolist(), np.split(by_stratum, starts[1:]), strict=True):
                chosen[units] = _first(sizes[units], wanted[code])
                wanted[code] -= int(sizes[units][chosen[units]].sum())
            taken[places] = chosen[unit]
        return taken

    def _sorted(
        self, parts: NDArray[np.uint8]
    ) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """Yield for each part the stratum and the size of its units, by their numbers, and the unit of each place."""
        import numpy as np

        for part in np.unique(parts):
            places = np.flatnonzero(parts == part)
            _, firsts, unit, sizes = np.unique(
                self.order[places], return_index=True, return_inverse=True, return_counts=True
            )
            yield self.stratum[places[firsts]], sizes, unit, places


def _first(sizes: NDArray[np.int64], wanted: int) -> NDArray[np.bool_]:
    """Return which units are taken, in order."""
    import numpy as np

    if (sizes == 1).all():
        return np.arange(len(sizes)) < wanted
    taken, have = np.zeros(len(sizes), np.bool_), 0
    for place, size in enumerate(sizes.tolist()):
        if size < 2 * (wanted - have):
            taken[place] = True
            have += size
    return taken
