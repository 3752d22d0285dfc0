"""Which requirement steers what: gate, canary condition, set-point and retirement trigger.

A plan imports the classes that the project names and asks for their `metrics`; nothing runs.
"""

from __future__ import annotations

from attrs import evolve, frozen

from mlm.bindings import Binding
from mlm.calls import Plugin
from mlm.errors import ProjectError, near_miss
from mlm.measures import MetricSpec
from mlm.mistakes import Mistakes
from mlm.problem import Finding
from mlm.project import FILE, Table
from mlm.requirements import Requirement
from mlm.steps import Step
from mlm.workspace import Workspace

Monitors = list[tuple[str, dict[str, MetricSpec]]]
"""Name of each monitoring table, and what it measures."""


@frozen
class Steering:
    """What measures one requirement, for a deployed model step."""

    requirement: Requirement
    gate: str | None
    """Evaluation step whose score on the deployed model is judged before promotion."""
    monitor: str | None
    """Monitor whose measure of live traffic is judged for canary, set-point and trigger."""
    trigger: str | None = None
    """`[retirement]` table that acts where the monitor's measure breaks it."""

    @property
    def holes(self) -> list[str]:
        return [
            name for name, by in (("gate", self.gate), ("canary, set-point and trigger", self.monitor)) if by is None
        ]


def steering(workspace: Workspace) -> list[Steering]:
    """Return one row a requirement.

    Raises ProjectError with a line for each that nothing measures, or that two evaluations do and none is chosen.
    """
    mistakes = Mistakes()
    deployed, monitors = mistakes.of(deployed_steps, workspace), mistakes.of(_monitors, workspace)
    # What a broken table would measure is not known: no requirement is told to lack it.
    mistakes.tell()
    assert deployed is not None
    assert monitors is not None
    required = workspace.project.requirements
    rows = [mistakes.of(_row, requirement, deployed, workspace.steps, monitors) for requirement in required]
    trigger = mistakes.of(_trigger, workspace)
    mistakes.tell()
    return [evolve(row, trigger=trigger) if row.monitor else row for row in rows if row]


def _trigger(workspace: Workspace) -> str | None:
    """Return the first `[retirement]` table whose trigger acts on requirements."""
    for table in workspace.project.tables("retirement"):
        cls = workspace.bind("triggers", dict(table.values), f"retirement.{table.name}").cls
        if getattr(cls, "by_requirements", False):
            return table.name
    return None


def _monitors(workspace: Workspace) -> Monitors:
    return [(table.name, monitor_metrics(workspace, table)) for table in workspace.project.tables("monitoring")]


def deployed_steps(workspace: Workspace) -> set[str]:
    """Return the names of the model steps that deployments serve."""
    names = {step.name for step in workspace.steps if step.stage in ("model", "training", "alignment", "export")}
    found = set()
    for table in workspace.project.tables("deployment"):
        model = table.values.get("model")
        if not isinstance(model, str) or model not in names:
            raise ProjectError(f"`model` must name a step that makes a model, got {model!r}", f"{table.where}.model")
        found.add(str(model))
    return found


def monitor_metrics(workspace: Workspace, table: Table) -> dict[str, MetricSpec]:
    """Return what a `[monitoring.<name>]` table measures, by name."""
    values = {key: value for key, value in table.values.items() if key != "deployment"}
    return _metrics(workspace.bind("monitors", values, f"{table.section}.{table.name}"))


def _metrics(binding: Binding) -> dict[str, MetricSpec]:
    return {spec.name: spec for spec in Plugin(binding.ref, binding.build()).metrics}


def _row(requirement: Requirement, deployed: set[str], steps: list[Step], monitors: Monitors) -> Steering:
    where = f"{FILE}, requirements.{requirement.name}"
    gates = sorted({step.name.partition(":")[0] for step in steps if _measures(step, requirement.metric, deployed)})
    if requirement.by is not None:
        if requirement.by not in gates:
            raise ProjectError(
                f"step '{requirement.by}' does not measure {requirement.metric} on a deployed model"
                f" (these do: {', '.join(gates) or 'none'}){near_miss(requirement.by, gates)}",
                f"{where}.by",
            )
        gates = [requirement.by]
    if len(gates) > 1:
        choice = f'choose with `by = "{gates[0]}"`'
        raise ProjectError(f"{requirement.metric} is measured by {' and '.join(gates)}: {choice}", where)
    watching = [name for name, metrics in monitors if requirement.metric in metrics]
    if not gates and not watching:
        raise ProjectError(_unmeasured(requirement.metric, steps, monitors), where)
    return Steering(requirement, gates[0] if gates else None, watching[0] if watching else None)


def _unmeasured(metric: str, steps: list[Step], monitors: Monitors) -> str:
    """Say why nothing measures a metric, and what to do."""
    evaluations = [step for step in steps if step.stage == "evaluation"]
    for step in evaluations:
        if metric in metrics_of(step):
            models = ", ".join(sorted(_models(step)))
            return (
                f"'{step.name}' measures {metric} on {models}, which no [deployment.<name>] serves: let it measure a"
                f' model that is served, or serve that one (`model = "{sorted(_models(step))[0]}"`)'
            )
    known = {name for step in evaluations for name in metrics_of(step)} | {m for _, ms in monitors for m in ms}
    return f"nothing measures {metric}: no evaluation of a deployed model, no monitor{near_miss(metric, known)}"


def metrics_of(step: Step) -> dict[str, MetricSpec]:
    """Return what an evaluation measures, by name."""
    return _metrics(step.binding)


def _models(step: Step) -> set[str]:
    return {s.step for item in step.inputs if item.port.name == "model" for s in item.sources}


def _measures(step: Step, metric: str, deployed: set[str]) -> bool:
    if step.stage != "evaluation":
        return False
    return bool(_models(step) & deployed) and metric in metrics_of(step)


def steering_findings(rows: list[Steering]) -> list[Finding]:
    """Return a finding for each hole: what a requirement cannot steer, and why."""
    reasons = {
        "gate": "no evaluation of the deployed model measures it before promotion",
        "canary, set-point and trigger": "no monitor can measure it on live traffic",
    }
    return [
        Finding(
            "requirement-hole",
            f"{row.requirement.name} ({row.requirement.text}) has no {hole}",
            "note",
            advice=reasons[hole],
        )
        for row in rows
        for hole in row.holes
    ]


def direction_findings(workspace: Workspace) -> list[Finding]:
    """Return a note for each bound that lets worse values through and keeps better ones out."""
    evaluations = [metrics_of(step) for step in workspace.steps if step.stage == "evaluation"]
    known = [*evaluations, *(metrics for _, metrics in _monitors(workspace))]
    specs = {name: spec for metrics in known for name, spec in metrics.items()}
    wrong = {"lower": "min", "higher": "max"}
    return [
        Finding(
            "requirement-direction",
            f"{one.name} ({one.text}) refuses better values: of {one.metric}, {spec.direction} is better",
            "note",
            advice=f"write `{'max' if one.min is not None else 'min'}`, or leave it where that is meant",
        )
        for one in workspace.project.requirements
        if (spec := specs.get(one.metric)) and wrong.get(spec.direction) == ("max" if one.min is None else "min")
    ]
