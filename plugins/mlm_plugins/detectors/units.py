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
_ROWS = 1 << 16
"""So many rows are given their new numbers at once."""


def _empty(self: Units) -> NDArray[np.uint64]:
    import numpy as np

    return np.empty(self.count, np.uint64)


def _zeros(self: Units) -> NDArray[np.int32]:
    import numpy as np

    return np.zeros(self.count, np.int32)


@define
class Units:
    """What is remembered of rows: numbers, 14 bytes for each, and not their texts; 8 more for each column of links."""

    count: int
    order: NDArray[np.uint64] = field(init=False, default=Factory(_empty, takes_self=True))
    """For each row the number of its unit: rows of one number are one unit."""
    stratum: NDArray[np.int32] = field(init=False, default=Factory(_zeros, takes_self=True))
    """For each row its stratum, of which a share is taken; a unit belongs to the stratum of its first row."""

    def join(self, links: list[NDArray[np.uint64]]) -> None:
        """Make one unit of the units that are linked by equal values of any column, by however many others.

        A unit takes the lowest number among those that it is linked to. Units that are linked to none keep theirs.
        """
        while any(self._linked(column) for column in links):
            pass

    def _linked(self, column: NDArray[np.uint64]) -> bool:
        """Give units the lowest number that stands beside the same value; say whether one has changed."""
        import numpy as np

        olds, news = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
        for places in _places(column):
            _, value = np.unique(column[places], return_inverse=True)
            numbers = self.order[places]
            least = np.full(value.max() + 1, np.iinfo(np.uint64).max, np.uint64)
            np.minimum.at(least, value, numbers)
            changed = least[value] < numbers
            olds.append(numbers[changed])
            news.append(least[value[changed]])
        old, new = np.concatenate(olds), np.concatenate(news)
        if not old.size:
            return False
        by_number = np.lexsort((new, old))
        old, firsts = np.unique(old[by_number], return_index=True)
        new = new[by_number[firsts]]
        for start in range(0, self.count, _ROWS):
            rows = self.order[start : start + _ROWS]
            place = np.minimum(np.searchsorted(old, rows), old.size - 1)
            rows[:] = np.where(old[place] == rows, new[place], rows)
        return True

    def taken(self, share: float) -> NDArray[np.bool_]:
        """Return which rows belong to the units that are taken: of each stratum the first, in order of their numbers.

        A unit joins where it brings the number of rows nearer to what is wanted.
        """
        import numpy as np

        rows = np.zeros(int(self.stratum.max(initial=0)) + 1, np.int64)
        for stratum, sizes, _, _ in self._sorted():
            np.add.at(rows, stratum, sizes)
        wanted = [round(share * count) for count in rows.tolist()]
        taken = np.zeros(self.count, np.bool_)
        for stratum, sizes, unit, places in self._sorted():
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
        self,
    ) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """Yield for each part the stratum and the size of its units, by their numbers, and the unit of each place."""
        import numpy as np

        for places in _places(self.order):
            _, firsts, unit, sizes = np.unique(
                self.order[places], return_index=True, return_inverse=True, return_counts=True
            )
            yield self.stratum[places[firsts]], sizes, unit, places


def _places(numbers: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Yield the places of the numbers of each part, the lowest numbers first."""
    import numpy as np

    parts = np.empty(numbers.size, np.uint8)
    np.floor_divide(numbers, np.uint64(2**64 // _PARTS), out=parts, casting="unsafe")
    for part in np.unique(parts):
        yield np.flatnonzero(parts == part)


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
