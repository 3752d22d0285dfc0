"""Metrics, measured values and their intervals: shared by evaluators, monitors and gates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from attrs import frozen

Direction = Literal["higher", "lower", "neither"]


@frozen
class MetricSpec:
    """A metric that an evaluator or a monitor can measure."""

    name: str
    unit: str = ""
    direction: Direction = "neither"
    help: str = ""


@frozen
class Measure:
    """A measured value with its sample size and 95 % interval.

    `value` is None where nothing could be measured. `coverage` is the share of items that had a say in the value,
    where some had to leave the denominator.
    """

    metric: str
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    unit: str = ""
    coverage: float | None = None
    note: str = ""


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


def mean(metric: str, values: Sequence[float], *, unit: str = "", seed: int = 0, resamples: int = 1000) -> Measure:
    """Measure a mean with its percentile bootstrap interval (Efron 1979)."""
    import numpy as np

    if not values:
        return Measure(metric, None, 0, unit=unit)
    sample = np.asarray(values, dtype=float)
    draws = np.random.default_rng(seed).integers(0, len(sample), (resamples, len(sample)))
    low, high = np.quantile(sample[draws].mean(axis=1), [0.025, 0.975])
    return Measure(metric, float(sample.mean()), len(sample), float(low), float(high), unit)


def quantile(metric: str, values: Sequence[float], q: float, *, unit: str = "") -> Measure:
    """Measure a quantile with the distribution-free interval of its order statistics (Conover 1999, 3.2)."""
    n = len(values)
    if n == 0:
        return Measure(metric, None, 0, unit=unit)
    ordered = sorted(values)
    half = 1.959963984540054 * math.sqrt(n * q * (1 - q))
    low = ordered[max(0, math.floor(n * q - half))]
    high = ordered[min(n - 1, math.ceil(n * q + half))]
    return Measure(metric, ordered[min(n - 1, math.ceil(n * q) - 1 if n * q >= 1 else 0)], n, low, high, unit)
