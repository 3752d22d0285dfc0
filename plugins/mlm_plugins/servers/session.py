"""What a continuous batch needs of a model: one forward pass over rows with a key-value cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int64]


class Session(Protocol):
    """A loaded model; `forward` may be called from several threads."""

    @property
    def backend(self) -> str: ...

    def no_past(self, rows: int) -> list[Any]:
        """Return the empty cache of `rows` sequences: one value a layer and part, (rows, heads, 0, width)."""
        ...

    def forward(self, ids: Integers, mask: Integers, positions: Integers, past: list[Any]) -> tuple[Floats, list[Any]]:
        """Compute logits (rows, sequence, vocabulary) and the cache with the new columns at its end.

        Args:
            ids: (rows, sequence).
            mask: (rows, past + sequence); 0 at columns that a row must not see.
            positions: (rows, sequence); the place of each token in its own text, whatever its column.
            past: The cache as this session returned it, or as `pack` made it.
        """
        ...

    def unpack(self, part: Any) -> Floats:
        """Return one part of a cache as an array (rows, heads, columns, width)."""
        ...

    def pack(self, array: Floats) -> Any:
        """Return a contiguous array as one part of a cache."""
        ...
