"""Counts what a run costs, and stops it at its budget."""

from __future__ import annotations

from collections.abc import Generator

import attrs
from attrs import define, validators

import mlm

SECONDS_PER_HOUR = 3600


@define(kw_only=True)
class CostMeter:
    """Adds up the processor time of steps in USD; refuses to start training beyond a budget."""

    budget_usd: float | None = mlm.setting(
        None,
        validator=validators.optional(validators.ge(0)),
        unit="USD",
        help="most that one run may cost",
    )
    cpu_seconds: float = attrs.field(init=False, default=0.0)
    by_step: dict[str, float] = attrs.field(init=False, factory=dict)

    @mlm.hookimpl
    def mlm_observe(self, event: mlm.StepEvent) -> None:
        # A step that is cached or waits has cost nothing now; one that failed has cost what it took.
        if event.status in ("ran", "failed"):
            self.cpu_seconds += event.cpu_seconds
            self.by_step[event.step] = self.by_step.get(event.step, 0.0) + event.cpu_seconds

    def spent_usd(self, problem: mlm.Problem) -> float:
        """Return what the steps so far have cost, at the project's price of processor time."""
        return self.cpu_seconds / SECONDS_PER_HOUR * problem.cost_per_cpu_hour_usd

    @mlm.hookimpl(wrapper=True)
    def mlm_train(self, context: mlm.Context) -> Generator[None, mlm.Model, mlm.Model]:
        """Let training start only while there is budget left; what has started is finished."""
        spent = self.spent_usd(context.problem)
        if self.budget_usd is not None and spent >= self.budget_usd:
            dearest = max(self.by_step, key=self.by_step.__getitem__, default="no step")
            raise mlm.Refused(
                f"{context.step} may not start: this run has cost {spent:.6g} USD of its budget of "
                f"{self.budget_usd:.6g} USD, most of it in {dearest} (raise budget_usd to go on)",
                code="over-budget",
            )
        return (yield)
