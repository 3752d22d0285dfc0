"""The rows of a continuous batch: each is one request's key-value cache, aligned at the right.

A column of the cache holds another position in every row. That is right, because keys are rotated (or embedded) by
position before they are stored. Rows that are shorter than the longest start with masked columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlm_plugins.servers.session import Floats, Session


class CacheRows:
    """Live sequences over one session; the `Rows` that the scheduler drives."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lengths: list[int] = []
        self._cache: list[Any] = []

    @property
    def _columns(self) -> int:
        return max(self._lengths, default=0)

    def join(self, prompts: Sequence[Sequence[int]]) -> Floats:
        """Compute prompts of equal length and append them as rows; return their next logits (prompts, vocabulary)."""
        import numpy as np

        ids = np.asarray(prompts, np.int64)
        places = np.broadcast_to(np.arange(ids.shape[1], dtype=np.int64), ids.shape).copy()
        logits, cache = self._session.forward(ids, np.ones_like(ids), places, self._session.no_past(len(ids)))
        self._cache = self._merged(cache, ids.shape[1]) if self._lengths else cache
        self._lengths += [ids.shape[1]] * len(ids)
        last: Floats = logits[:, -1]
        return last

    def step(self, tokens: Sequence[int]) -> Floats:
        """Append one token to each row; return the next logits (rows, vocabulary)."""
        import numpy as np

        lengths = np.asarray(self._lengths, np.int64)[:, None]
        mask = (np.arange(self._columns + 1) >= self._columns - lengths).astype(np.int64)
        ids = np.asarray(tokens, np.int64)[:, None]
        logits, self._cache = self._session.forward(ids, mask, lengths, self._cache)
        self._lengths = [length + 1 for length in self._lengths]
        last: Floats = logits[:, -1]
        return last

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all rows but these, and the leading columns that none of them uses."""
        import numpy as np

        before, chosen = self._columns, list(rows)
        self._lengths = [self._lengths[row] for row in chosen]
        unused = before - self._columns
        pack, unpack = self._session.pack, self._session.unpack
        kept = [pack(np.ascontiguousarray(unpack(part)[chosen, :, unused:])) for part in self._cache] if chosen else []
        self._cache = kept

    def _merged(self, cache: list[Any], length: int) -> list[Any]:
        import numpy as np

        columns = max(self._columns, length)
        merged = []
        for live, new in zip(self._cache, cache, strict=True):
            parts = [self._session.unpack(live), self._session.unpack(new)]
            padded = [np.pad(part, ((0, 0), (0, 0), (columns - part.shape[2], 0), (0, 0))) for part in parts]
            merged.append(self._session.pack(np.concatenate(padded)))
        return merged
