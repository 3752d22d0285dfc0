"""Near-equal texts by their shingles: MinHash with banding, and the exact Jaccard similarity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Shingles hashed at once: what they need fits into a core's cache.
_BLOCK = 1 << 14


def folded(text: str) -> str:
    """Return the text in one case, with single spaces."""
    return " ".join(text.casefold().split())


def shingles(text: str, size: int) -> NDArray[np.uint64]:
    """Return the distinct 64-bit hashes of all runs of `size` characters, sorted; of a shorter text, the one of all."""
    import numpy as np

    return np.unique(_hashes(text, size))


def jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Return |intersection| / |union| of two sets of shingles."""
    import numpy as np

    shared = np.intersect1d(one, other, assume_unique=True).size
    return float(shared / (one.size + other.size - shared))


def banding(threshold: float, permutations: int, recall: float = 0.999) -> tuple[int, int]:
    """Choose (bands, rows a band) so that a pair at the threshold shares a band with probability `recall`.

    The probability is 1 - (1 - threshold**rows)**bands (Leskovec et al., Mining of Massive Datasets, 3.4.2). More rows
    mean fewer false candidates, so the most rows that reach the recall are taken.
    """
    for rows in range(permutations, 1, -1):
        bands = permutations // rows
        if 1 - (1 - threshold**rows) ** bands >= recall:
            return bands, rows
    return permutations, 1


@frozen
class MinHasher:
    """Signs texts so that two signatures agree in about the share of shingles that the texts share (Broder 1997)."""

    permutations: int
    size: int
    seed: int = 0

    def sign(self, texts: Sequence[str]) -> NDArray[np.uint32]:
        """Return signatures, (texts, permutations); a text's does not depend on the others."""
        import numpy as np

        signatures = np.empty((len(texts), self.permutations), np.uint32)
        random = np.random.default_rng(self.seed)
        factors = random.integers(0, 1 << 63, self.permutations, np.uint64) << np.uint64(1) | np.uint64(1)
        for start, end, hashes, offsets in self._blocks(texts):
            for place, factor in enumerate(factors):
                # Multiply-shift (Dietzfelbinger et al. 1997): the upper half of an odd multiple.
                permuted = ((hashes * factor) >> np.uint64(32)).astype(np.uint32)
                signatures[start:end, place] = np.minimum.reduceat(permuted, offsets)
        return signatures

    def _blocks(self, texts: Sequence[str]) -> Iterator[tuple[int, int, NDArray[np.uint64], NDArray[np.intp]]]:
        """Yield (first text, end, hashes of these texts, where each text's begin)."""
        import numpy as np

        start, pending, total = 0, [], 0
        for place, text in enumerate(texts):
            pending.append(_hashes(text, self.size))
            total += pending[-1].size
            if total >= _BLOCK or place == len(texts) - 1:
                offsets = np.cumsum([0, *(hashes.size for hashes in pending[:-1])])
                yield start, place + 1, np.concatenate(pending), offsets
                start, pending, total = place + 1, [], 0


def _hashes(text: str, size: int) -> NDArray[np.uint64]:
    """Hash every run of `size` characters; a shorter text as one run."""
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64) + np.uint64(1)
    size = min(size, codes.size) or 1
    hashes = np.zeros(max(1, codes.size - size + 1), np.uint64)
    for place in range(min(size, codes.size)):
        hashes = hashes * np.uint64(0x100000001B3) + codes[place : place + hashes.size]
    # The finalizer of SplitMix64 (Steele et al. 2014) spreads neighbouring characters over all bits.
    hashes ^= hashes >> np.uint64(30)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(27)
    hashes *= np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))
