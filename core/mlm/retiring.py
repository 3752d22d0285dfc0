"""Retirement: triggers assess every living version; a crash of a trigger retires nothing."""

from __future__ import annotations

import time

from mlm.actions import Action
from mlm.calls import Plugin
from mlm.errors import MlmError
from mlm.intent import Living, Signal
from mlm.measures import Measure
from mlm.monitoring import with_verdicts
from mlm.standing import recalled_upstream
from mlm.verdicts import Verdict
from mlm.workspace import Workspace
from mlm_registry import Judgement, ModelVersion, SignalRow


def retire_due(workspace: Workspace, model: str, by: str) -> list[Action]:
    """Retire each approved version of a deployed model for which a trigger's verdict is `fail`."""
    actions = []
    for version in living_versions(workspace, model):
        due = due_verdict(workspace, version)
        if due:
            trigger, verdict = due
            actions.append(retire(workspace, version, by=by, verdict=verdict, trigger=trigger))
    return actions


def living_versions(workspace: Workspace, model: str) -> list[ModelVersion]:
    """Return the approved versions of a model that no recall bars: those that a trigger may retire.

    A retirement is for good, and a recall may be undone.
    """
    registry = workspace.registry
    approved = [version for version in registry.models.versions(model) if version.state == "approved"]
    return [version for version in approved if not recalled_upstream(registry, version.node.id)]


def due_verdict(workspace: Workspace, version: ModelVersion) -> tuple[str, Verdict] | None:
    """Return the first trigger, in file order, that says that a version's life is over, with its verdict."""
    for table in workspace.project.tables("retirement"):
        plugin = workspace.plugin("triggers", dict(table.values), f"retirement.{table.name}")
        verdict = _assess(workspace, plugin, living(workspace, version))
        if verdict.outcome == "fail":
            return table.name, verdict
    return None


def _assess(workspace: Workspace, plugin: Plugin, version: Living) -> Verdict:
    try:
        return plugin.assess(version, workspace.context(plugin.ref.name))
    except Exception as error:
        workspace.report(f"trigger {plugin.ref.identity} failed: {error}")
        return Verdict("inconclusive", "trigger-crashed", f"{type(error).__name__}: {error}", by=plugin.ref.name)


def living(workspace: Workspace, version: ModelVersion) -> Living:
    """Return what a trigger needs to know of a version."""
    registry = workspace.registry
    newer = [v for v in registry.models.versions(version.node.name) if v.node.version > version.node.version]
    serving = [v for v in newer if v.state == "approved" and share(workspace, v) > 0]
    successor = serving[0] if serving else None
    return Living(
        version=version,
        share=share(workspace, version),
        successor=successor,
        successor_share=share(workspace, successor) if successor else 0.0,
        signals=tuple(_newest_signals(workspace, version)),
        age_seconds=time.time() - version.node.created,
    )


def share(workspace: Workspace, version: ModelVersion) -> float:
    """Return the largest share of a deployment's traffic that a version has now."""
    return max((part for _, part in workspace.registry.deployments.serving(version.node.id)), default=0.0)


def _newest_signals(workspace: Workspace, version: ModelVersion) -> list[Signal]:
    newest: dict[str, SignalRow] = {}
    for row in workspace.registry.signals(node=version.node.id):
        newest.setdefault(row.metric, row)
    return [signal for row in newest.values() for signal in with_verdicts(workspace.project.requirements, _signal(row))]


def _signal(row: SignalRow) -> Signal:
    return Signal(
        Measure(row.metric, row.value, row.n, row.low, row.high, row.unit, row.coverage), row.deployment, row.node
    )


def retire(workspace: Workspace, version: ModelVersion, *, by: str, verdict: Verdict, trigger: str) -> Action:
    """Retire a version; one that still serves, or is retired already, is refused."""
    ref = version.node.ref
    registry = workspace.registry
    with registry.transaction(durable=True):
        # Looked up inside the transaction: traffic may have moved since the version was assessed.
        if registry.models.version(version.node.id).state == "retired":
            raise MlmError(f"{ref} is retired already")
        present = share(workspace, version)
        if present > 0:
            raise MlmError(f"{ref} serves {present:.0%} of the traffic: deploy another version first")
        registry.judge(
            Judgement(
                subject=version.node.digest,
                kind="retirement",
                by=trigger,
                outcome=verdict.outcome,
                code=verdict.code,
                reason=verdict.reason,
                evidence=verdict.evidence,
            )
        )
        registry.models.set_state(version.node.id, "retired", by=by, reason=verdict.reason)
    return Action("retire", ref, f"{ref} is retired: {verdict.reason}")
