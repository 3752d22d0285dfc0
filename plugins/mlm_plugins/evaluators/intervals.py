"""95 % intervals that do not shrink to a point where all values are equal."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

from mlm.measures import SMALL_SAMPLE, mean, wilson

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1000
Z = 1.959963984540054
_HALVINGS = 40
"""Halvings of a bracket within 0 and 1: it ends below 1e-12."""


def resampled(
    statistic: Callable[[np.ndarray[Any, Any]], float], n: int, seed: int
) -> tuple[float, float] | tuple[None, None]:
    """Return the interval of a statistic of `n` rows, given by their indices: percentile bootstrap (Efron 1979).

    Below 30 rows, where that is too narrow, it is Student's t on the jackknife's pseudo-values (Tukey 1958); one row
    has none, it reaches from minus to plus infinity. None where the statistic does not vary: its spread is unknown
    then, not zero.
    """
    import numpy as np

    if n < SMALL_SAMPLE:
        low, high = _jackknife(statistic, n)
    else:
        generator = np.random.default_rng(seed)
        values = [statistic(generator.integers(0, n, n)) for _ in range(RESAMPLES)]
        low, high = (float(bound) for bound in np.quantile(values, [0.025, 0.975]))
    return (low, high) if low < high else (None, None)


def _jackknife(statistic: Callable[[np.ndarray[Any, Any]], float], n: int) -> tuple[float, float]:
    import numpy as np

    rows = np.arange(n)
    value = statistic(rows)
    if n == 1:
        return -inf, inf
    spread = mean("", [n * value - (n - 1) * statistic(np.delete(rows, row)) for row in rows])
    assert spread.low is not None
    assert spread.high is not None
    half = (spread.high - spread.low) / 2
    return value - half, value + half


def bounded(value: float, n: int, scale: float = 1.0) -> tuple[float, float]:
    """Return the Wilson interval of a mean of `n` values between 0 and `scale`.

    No such mean varies more than a proportion of the same value does, so the interval is never too narrow.
    """
    low, high = wilson(value / scale * n, n)  # type: ignore[arg-type]
    return low * scale, high * scale


def rank_score(value: float, first: int, second: int) -> tuple[float, float]:
    """Return the score interval of an area under the ROC curve (Newcombe 2006, part 2, method 5).

    The variance is that of Hanley and McNeil (1982) at each bound, so it keeps a width at areas of 0 and 1.

    Args:
        value: The area found.
        first: Rows of one side; two or more.
        second: Rows of the other side; two or more.
    """
    return _rank_bound(value, first, second), 1 - _rank_bound(1 - value, first, second)


def _rank_bound(value: float, first: int, second: int) -> float:
    """Return the smallest area that the one found is not too far above, by bisection."""
    pairs, others = first * second, (first + second) / 2 - 1
    below, bound = 0.0, value
    for _ in range(_HALVINGS):
        area = (below + bound) / 2
        variance = area * (1 - area) * (1 + others * ((1 - area) / (2 - area) + area / (1 + area))) / pairs
        if value - area > Z * sqrt(variance):
            below = area
        else:
            bound = area
    return bound


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
