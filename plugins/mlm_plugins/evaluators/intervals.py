"""95 % intervals that do not shrink to a point where all values are equal."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import TYPE_CHECKING, Any

from mlm.measures import wilson

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1000


def bootstrap(
    statistic: Callable[[np.ndarray[Any, Any]], float], n: int, seed: int
) -> tuple[float, float] | tuple[None, None]:
    """Return the percentile interval (Efron 1979) of a statistic of `n` rows, given by their indices.

    None where the statistic does not vary: its spread is unknown then, not zero.
    """
    import numpy as np

    if n < 2:
        return None, None
    generator = np.random.default_rng(seed)
    values = [statistic(generator.integers(0, n, n)) for _ in range(RESAMPLES)]
    low, high = (float(bound) for bound in np.quantile(values, [0.025, 0.975]))
    return (low, high) if low < high else (None, None)


def bounded(value: float, n: int, scale: float = 1.0) -> tuple[float, float]:
    """Return the Wilson interval of a mean of `n` values between 0 and `scale`.

    No such mean varies more than a proportion of the same value does, so the interval is never too narrow.
    """
    low, high = wilson(value / scale * n, n)  # type: ignore[arg-type]
    return low * scale, high * scale


def paired_difference(both: int, first: int, second: int, neither: int) -> tuple[float, float]:
    """Return the interval of p1 - p2, two proportions of the same items (Newcombe 1998, method 10).

    Args:
        both: Items that count for both proportions.
        first: Items that count for the first alone.
        second: Items that count for the second alone.
        neither: The rest.
    """
    n = both + first + second + neither
    p1, p2 = (both + first) / n, (both + second) / n
    (low1, high1), (low2, high2) = wilson(both + first, n), wilson(both + second, n)
    phi = _correlation(both, first, second, neither)
    down = _joined(p1 - low1, high2 - p2, phi)
    up = _joined(high1 - p1, p2 - low2, phi)
    return p1 - p2 - down, p1 - p2 + up


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    """Return phi, corrected for continuity; 0 where a margin is empty."""
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if margins == 0:
        return 0.0
    excess = float(both * neither - first * second)
    if excess > 0:
        excess = max(0.0, excess - (both + first + second + neither) / 2)
    return excess / sqrt(margins)


def _joined(a: float, b: float, phi: float) -> float:
    return sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))
