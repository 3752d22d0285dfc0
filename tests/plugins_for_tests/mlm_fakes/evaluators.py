"""Evaluators that say what the project file told them to."""

from __future__ import annotations

import time
from typing import ClassVar

from attrs import define

import mlm


@define(kw_only=True)
class Probe:
    """Measures a metric of any name, with the value that it was given."""

    metric: str = mlm.setting("score", help="name of the metric")
    value: float = mlm.setting(1.0, help="what it measures")
    low: float | None = mlm.setting(None, help="lower end of the interval")
    high: float | None = mlm.setting(None, help="upper end of the interval")

    @property
    def metrics(self) -> tuple[mlm.MetricSpec, ...]:
        return (mlm.MetricSpec(self.metric),)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, context: mlm.Context) -> mlm.Report:
        judged = [mlm.Example(f"probe-{score}", "how far?", "so far", score=score) for score in (0.75, 0.25)]
        return mlm.Report((mlm.Measure(self.metric, self.value, 100, self.low, self.high),), tuple(judged))


@define(kw_only=True)
class Shaky:
    """Measures another value each time, by less than it was told."""

    by: float = mlm.setting(help="the largest difference")
    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (mlm.MetricSpec("score"),)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, context: mlm.Context) -> mlm.Report:
        return mlm.Report((mlm.Measure("score", 0.5 + self.by * (time.time_ns() % 997) / 997, 100),))


@define(kw_only=True)
class Unnamed:
    """Breaks its word: measures what its metrics do not name."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (mlm.MetricSpec("named"),)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, context: mlm.Context) -> mlm.Report:
        return mlm.Report((mlm.Measure("surprise", 1.0, 1),))
