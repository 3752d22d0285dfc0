"""Values that come again, found among digests of 64 bits in NumPy arrays: 17 bytes a row, not a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@define
class Repeats:
    """Remembers the value of each row; two of a million values are taken for one with a chance of 3 in 10**8."""

    _keys: list[NDArray[np.uint64]] = field(factory=list)
    _sides: list[NDArray[np.uint8]] = field(factory=list)
    _names: list[str] = field(factory=list)

    def add(self, values: Sequence[str | None], sides: Iterable[str] = ()) -> None:
        """Take the values of the next rows, and the split of each; None is no value."""
        import numpy as np

        digests = b"".join(
            bytes(8) if value is None else blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            for value in values
        )
        self._keys.append(np.frombuffer(digests, np.uint64))
        self._sides.append(np.array([self._side(name) for name in sides] or [0] * len(values), np.uint8))

    def _side(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)

    def found(self, *, across: bool = False) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of rows whose value came before, and for each the place where it came first.

        Args:
            across: Leave out those that are in the same split as the first.
        """
        import numpy as np

        keys = np.concatenate(self._keys) if self._keys else np.empty(0, np.uint64)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        begins = np.ones(len(keys), bool)
        begins[1:] = ordered[1:] != ordered[:-1]
        first = order[np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))]
        again = ~begins & (ordered != 0)
        if across:
            sides = np.concatenate(self._sides) if self._sides else np.empty(0, np.uint8)
            again &= sides[order] != sides[first]
        places, firsts = order[again], first[again]
        by_place = np.argsort(places, kind="stable")
        return places[by_place], firsts[by_place]
