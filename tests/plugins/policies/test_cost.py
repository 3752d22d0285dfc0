"""The cost of a run, and its budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pluggy
import pytest
from attrs import define

import mlm
from mlm import hookspecs
from mlm_plugins.executors.in_process import InProcess
from mlm_plugins.policies.cost import CostMeter

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p", cost_per_cpu_hour_usd=3.6)


@define
class Trainer:
    """Counts its trainings."""

    trained: int = 0

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        self.trained += 1
        return mlm.Model(context.folder)


def train(meter: CostMeter, trainer: Trainer) -> Any:
    manager = pluggy.PluginManager("mlm")
    manager.add_hookspecs(hookspecs)
    manager.register(meter)
    manager.register(trainer)
    context = mlm.Context(folder=Path("m"), work=Path(), project=Path(), problem=PROBLEM, step="chat")
    return manager.hook.mlm_train(data=mlm.Dataset(Path()), model=None, context=context)


def event(status: Any, cpu_seconds: float, step: str = "facts") -> mlm.StepEvent:
    return mlm.StepEvent("run", step, "data", status, cpu_seconds=cpu_seconds)


def test_processor_time_of_what_ran_or_failed_is_paid_for() -> None:
    meter = CostMeter()
    for status in ("started", "ran", "failed", "cached", "waiting"):
        meter.mlm_observe(event(status, 100))

    assert meter.spent_usd(PROBLEM) == pytest.approx(200 / 3600 * 3.6)


def test_training_goes_on_within_the_budget() -> None:
    trainer, meter = Trainer(), CostMeter(budget_usd=0.2)
    meter.mlm_observe(event("ran", 100))

    assert train(meter, trainer) == mlm.Model(Path("m"))


def test_training_beyond_the_budget_is_refused_and_never_starts() -> None:
    trainer, meter = Trainer(), CostMeter(budget_usd=0.15)
    meter.mlm_observe(event("ran", 150, "facts"))
    meter.mlm_observe(event("ran", 50, "text"))

    with pytest.raises(
        mlm.Refused, match=r"chat may not start: this run has cost 0\.2 USD .* most of it in facts"
    ) as refused:
        train(meter, trainer)
    assert refused.value.code == "over-budget"
    assert trainer.trained == 0


def test_without_a_budget_nothing_is_refused() -> None:
    meter = CostMeter()
    meter.mlm_observe(event("ran", 1e9))

    assert train(meter, Trainer()).path == Path("m")


def test_the_default_executor_runs_the_work_here(tmp_path: Path) -> None:
    context = mlm.Context(folder=tmp_path, work=tmp_path, project=tmp_path, problem=PROBLEM)

    assert InProcess().mlm_execute(work=lambda: 42, context=context) == 42
