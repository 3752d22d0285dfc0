"""Metrics, measured values and their intervals: shared by evaluators, monitors and gates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

from attrs import field, frozen
from attrs.validators import in_

SMALL_SAMPLE = 30
"""Below it, a bootstrap of a mean is too narrow."""
Direction = Literal["higher", "lower", "neither"]


@frozen
class MetricSpec:
    """A metric that an evaluator or a monitor can measure."""

    name: str
    """A word with underscores, by which a requirement names it."""
    unit: str = ""
    """Unit of its measures: one that says none gets this, one in another unit is refused. `share` is from 0 to 1."""
    direction: Direction = field(default="neither", validator=in_(get_args(Direction)))
    """Which values are the better ones: `higher`, `lower` or `neither`."""
    help: str = ""
    """What it says, in a few words."""


@frozen
class Measure:
    """A measured value with its sample size and 95 % interval."""

    metric: str
    """Name of its MetricSpec."""
    value: float | None
    """None where nothing could be measured."""
    n: int
    """Items that it was measured on."""
    low: float | None = None
    """Lower end of the 95 % interval; None where it has none."""
    high: float | None = None
    """Upper end of the 95 % interval; None where it has none."""
    unit: str = ""
    """Empty means that of its MetricSpec."""
    coverage: float | None = None
    """Share of items that had a say in the value, where some had to leave the denominator."""
    note: str = ""
    """What people should know of it."""


def wilson(successes: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion (Wilson 1927); (0, 1) where n is 0."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At the ends the two terms are equal; rounding must not leave 8.7e-19 where the bound is 0.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def proportion(metric: str, successes: int, n: int, *, coverage: float | None = None, note: str = "") -> Measure:
    """Measure a proportion with its Wilson interval; the value is None where n is 0."""
    if n == 0:
        return Measure(metric, None, 0, unit="share", coverage=coverage, note=note)
    low, high = wilson(successes, n)
    return Measure(metric, successes / n, n, low, high, "share", coverage, note)


def mean(
    metric: str,
    values: Sequence[float],
    *,
    unit: str = "",
    seed: int = 0,
    resamples: int = 1000,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Measure:
    """Measure a mean with its interval: percentile bootstrap (Efron 1979), or Student's t below 30 values.

    One value has no interval: it reaches from one end of `within` to the other. Values that are all equal have one of
    no width, which a gate takes for exact: measure what is counted, such as right answers, with `proportion`.

    Args:
        within: Where the quantity lies by its nature, such as (0, inf) for a speed. The interval is cut there, which
            takes nothing from its coverage: the truth is not beyond.
    """
    return ratio(metric, values, [1.0] * len(values), unit=unit, seed=seed, resamples=resamples, within=within)


def ratio(
    metric: str,
    numerators: Sequence[float],
    denominators: Sequence[float],
    *,
    unit: str = "",
    seed: int = 0,
    resamples: int = 1000,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Measure:
    """Measure the sum of the numerators over that of the denominators, such as loss over tokens.

    The interval takes pairs together: percentile bootstrap, or Student's t with the linearized variance (Cochran 1977,
    6.3) below 30 pairs. One pair has no interval: it reaches from one end of `within` to the other, which is as in
    `mean`.
    """
    import numpy as np

    n = len(numerators)
    if n == 0:
        return Measure(metric, None, 0, unit=unit)
    above, below = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    value = float(above.sum() / below.sum())
    if n < SMALL_SAMPLE:
        spread = float(np.sqrt(((above - value * below) ** 2).sum() / max(n - 1, 1) / n) / below.mean())
        half = _t_quantile(n - 1) * spread if n > 1 else math.inf
        return Measure(metric, value, n, max(value - half, within[0]), min(value + half, within[1]), unit)
    generator = np.random.default_rng(seed)
    draws = (generator.integers(0, n, n) for _ in range(resamples))
    low, high = np.quantile([above[drawn].sum() / below[drawn].sum() for drawn in draws], [0.025, 0.975])
    return Measure(metric, value, n, float(low), float(high), unit)


def _t_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t (Abramowitz and Stegun 26.7.5; exact for 1 and 2 degrees)."""
    if freedom == 1:
        return 12.706204736432095
    if freedom == 2:
        return 4.302652729911275
    z = 1.959963984540054
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / freedom ** (power + 1) for power, term in enumerate(terms))


def quantile(metric: str, values: Sequence[float], q: float, *, unit: str = "") -> Measure:
    """Measure a quantile with the distribution-free interval of its order statistics (Conover 1999, 3.2).

    Where the sample is too small to have the order statistic that bounds it, that side is infinite.
    """
    n = len(values)
    if n == 0:
        return Measure(metric, None, 0, unit=unit)
    ordered = sorted(values)
    half = 1.959963984540054 * math.sqrt(n * q * (1 - q))
    # Ranks count from 1.
    first, last = math.ceil(n * q - half), math.ceil(n * q + half)
    low = ordered[first - 1] if first >= 1 else -math.inf
    high = ordered[last - 1] if last <= n else math.inf
    return Measure(metric, ordered[max(0, math.ceil(n * q) - 1)], n, low, high, unit)
