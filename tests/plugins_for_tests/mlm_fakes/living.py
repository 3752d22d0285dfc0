"""A target, a monitor and an improver."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

import mlm
from mlm.measures import proportion

COMPLAINTS = mlm.MetricSpec("complaint_rate", "share", "lower", "rated answers that were rated down")


@define(kw_only=True)
class Shelf:
    """Serves whatever is desired, at once and nowhere."""

    ready: bool = mlm.setting(True, help="whether an endpoint answers")

    @mlm.hookimpl
    def mlm_apply(self, desired: mlm.Desired) -> mlm.Observed:
        return mlm.Observed(desired.revision, "shelf:", self.ready, "" if self.ready else "nobody is at the shelf")

    @mlm.hookimpl
    def mlm_serve(self, desired: mlm.Desired, context: mlm.Context) -> None:
        models = [context.admit(arm.node).ref for arm in desired.arms]
        parts = [guard.name for guard in desired.guards] + [post.name for post in desired.postprocessors]
        (context.project / "served.txt").write_text(" ".join([*models, *parts]), encoding="utf-8")


@define(kw_only=True)
class Ratings:
    """Measures how many answers people rated down."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (COMPLAINTS,)

    @mlm.hookimpl
    def mlm_measure(self, window: mlm.Window) -> list[mlm.Signal]:
        rated = list(window.feedback.values())
        measure = proportion(COMPLAINTS.name, sum(one.rating < 0 for one in rated), len(rated))
        return [mlm.Signal(measure, window.deployment)]


@define(kw_only=True)
class CrashingMonitor:
    """Divides by zero."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (COMPLAINTS,)

    @mlm.hookimpl
    def mlm_measure(self, window: mlm.Window) -> list[mlm.Signal]:
        return [mlm.Signal(mlm.Measure(COMPLAINTS.name, 1 / 0, 0), window.deployment)]


@define(kw_only=True)
class Tuner:
    """Proposes another value of a setting."""

    table: str = mlm.setting(help="name of a step")
    key: str = mlm.setting(help="one of its settings")
    value: int = mlm.setting(help="what it should be")

    @mlm.hookimpl
    def mlm_improve(self, signals: list[mlm.Signal], window: mlm.Window) -> mlm.Proposal | None:
        reason = "; ".join(signal.verdict.reason for signal in signals if signal.verdict)
        return mlm.Proposal(f"Set {self.key}", reason, ("tune",), set={self.table: {self.key: self.value}})
