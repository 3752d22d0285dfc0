"""Chance that depends on a seed and a row's id alone: not on where the row stands, nor on what stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def draws(seed: int, values: Sequence[str]) -> NDArray[np.uint64]:
    """Return a number of 64 bits for each value."""
    import numpy as np

    start = blake2b(f"{seed}\n".encode(), digest_size=16)
    digests = []
    for value in values:
        one = start.copy()
        one.update(value.encode("utf-8", "surrogatepass"))
        digests.append(one.digest()[:8])
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


def lowest(numbers: NDArray[np.uint64], count: int) -> NDArray[np.bool_]:
    """Return which are the `count` lowest numbers; of equal ones, the first."""
    import numpy as np

    chosen = np.zeros(len(numbers), bool)
    chosen[np.argsort(numbers, kind="stable")[:count]] = True
    return chosen


def tempered(counts: Sequence[int], temperature: float) -> list[float]:
    """Return shares in proportion to count ** (1 / temperature): 1 as they are, the higher the more equal."""
    parts = [count ** (1 / temperature) if count else 0.0 for count in counts]
    whole = max(sum(parts), 1e-300)
    return [part / whole for part in parts]


def allotted(total: int, shares: Sequence[float], limits: Sequence[int]) -> list[int]:
    """Divide a total by shares; what a limit cuts off goes to the others, and remainders to the largest fractions."""
    given = [0] * len(shares)
    open_ones = [i for i, share in enumerate(shares) if share > 0 and limits[i] > 0]
    left = min(total, sum(limits[i] for i in open_ones))
    while open_ones:
        whole = sum(shares[i] for i in open_ones)
        full = {i for i in open_ones if left * shares[i] / whole >= limits[i]}
        if not full:
            break
        for i in full:
            given[i] = limits[i]
        left -= sum(limits[i] for i in full)
        open_ones = [i for i in open_ones if i not in full]
    exact = {i: left * shares[i] / whole for i in open_ones}
    for i, part in exact.items():
        given[i] = int(part)
    missing = left - sum(int(part) for part in exact.values())
    for i in sorted(exact, key=lambda i: (int(exact[i]) - exact[i], i))[:missing]:
        given[i] += 1
    return given


def occurrences(keys: NDArray[np.uint64] | NDArray[np.int32]) -> NDArray[np.int64]:
    """Return how often each key came before."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.ones(len(keys), bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    places = np.arange(len(keys))
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return ranks
