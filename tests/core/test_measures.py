"""Intervals that evaluators, monitors and gates rest on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mlm.intent import Signal
from mlm.measures import Measure, MetricSpec, mean, quantile, ratio, wilson
from mlm.monitoring import with_verdicts
from mlm.requirements import Requirement


@pytest.mark.parametrize("n", [2, 3, 4, 6, 12, 29])
def test_a_small_sample_has_the_t_interval_of_scipy(n: int) -> None:
    values = np.random.default_rng(n).normal(3, 2, n).tolist()

    found = mean("m", values)

    expected = stats.t.interval(0.95, n - 1, np.mean(values), stats.sem(values))
    # The expansion of the quantile is off by less than 1 % from 3 degrees of freedom on.
    assert (found.low, found.high) == pytest.approx(expected, rel=0.02)


def test_one_value_has_no_interval() -> None:
    found = mean("m", [4.0])

    assert (found.value, found.low, found.high) == (4.0, -math.inf, math.inf)


def test_a_mean_is_a_ratio_to_the_number_of_values() -> None:
    values = np.random.default_rng(1).normal(3, 2, 200)

    found = mean("m", values.tolist())

    assert found.value == pytest.approx(values.mean())
    expected = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=2000, rng=np.random.default_rng(0))
    # Two bootstraps of thousands of draws: bounds agree to a few hundredths of the spread.
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval), abs=0.05)


def test_a_ratio_weighs_by_the_denominator() -> None:
    assert ratio("m", [1.0, 9.0], [1, 3]).value == 2.5


@pytest.mark.parametrize("n", [3, 5, 10, 29, 40])
def test_the_interval_of_a_ratio_covers_it_nine_times_in_ten_or_more(n: int) -> None:
    random = np.random.default_rng(2)

    covered = 0
    for _ in range(300):
        tokens = random.integers(20, 200, n)
        losses = tokens * random.normal(2.3, 0.5, n)
        found = ratio("m", losses.tolist(), tokens.tolist(), resamples=400)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 2.3 <= found.high

    # Nominal 0.95; a bootstrap covers 0.76 of 3 pairs and 0.86 of 5.
    assert covered >= 0.9 * 300


def test_the_interval_of_a_mean_ends_where_the_quantity_does() -> None:
    spread, rate = [1.0, 2.0, 300.0], [0.9, 1.0, 1.0]

    free, speed = mean("m", spread), mean("m", spread, within=(0, math.inf))

    assert free.low is not None
    assert free.low < 0
    assert (speed.value, speed.low, speed.high) == (free.value, 0, free.high)
    assert mean("m", rate, within=(0, 1)).high == 1
    assert mean("m", [4.0], within=(0, math.inf)).low == 0


@pytest.mark.parametrize(("n", "bounded"), [(20, False), (72, False), (73, True), (400, True)])
def test_a_quantile_is_bounded_only_where_an_order_statistic_bounds_it(n: int, bounded: bool) -> None:
    found = quantile("p95", list(range(n)), 0.95)

    assert found.high is not None
    assert math.isfinite(found.high) is bounded


@pytest.mark.parametrize("n", [20, 100, 300])
def test_the_interval_of_a_quantile_covers_it_nine_times_in_ten_or_more(n: int) -> None:
    random = np.random.default_rng(7)
    truth = stats.expon.ppf(0.95)

    covered = 0
    for _ in range(400):
        found = quantile("p95", random.exponential(size=n).tolist(), 0.95)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high

    assert covered >= 0.9 * 400


@pytest.mark.parametrize(("successes", "n"), [(0, 150), (150, 150), (191, 201)])
def test_a_proportion_has_the_wilson_interval_of_scipy(successes: int, n: int) -> None:
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")

    assert wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_direction_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'direction' must be in"):
        MetricSpec("wit", "share", "lowest")  # type: ignore[arg-type]


def test_two_requirements_on_one_metric_are_both_judged() -> None:
    band = [Requirement("most", "refusal_share", max=0.5), Requirement("least", "refusal_share", min=0.2)]
    signal = Signal(Measure("refusal_share", 0.04, 500, 0.03, 0.06), "api")

    outcomes = {s.verdict.by: s.verdict.outcome for s in with_verdicts(band, signal) if s.verdict}

    assert outcomes == {"most": "pass", "least": "fail"}
