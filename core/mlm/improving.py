"""From a broken set-point to a proposal, from an approval to an amendment."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from mlm.actions import Action
from mlm.calls import Plugin
from mlm.code import code_digest
from mlm.errors import MlmError
from mlm.fingerprints import environment
from mlm.handles import stored
from mlm.intent import Proposal as Suggestion
from mlm.intent import Signal, Window
from mlm.project import Table
from mlm.workspace import Workspace
from mlm_registry import Amendment, Execution, Node, Proposal, Registry


def propose(workspace: Workspace, deployment: str, signals: list[Signal], view: Window) -> Action | None:
    """Ask the improvers, in file order, when a signal broke its set-point; the first proposal is stored as open."""
    broken = [s for s in signals if s.verdict and s.verdict.outcome == "fail"]
    if not broken or pending(workspace.registry, deployment) or _was_rejected(workspace.registry, deployment):
        return None
    for table in workspace.project.tables("improvement"):
        if table.values.get("deployment", deployment) != deployment:
            continue
        proposal = _ask(workspace, table, deployment, broken, view)
        if proposal:
            return Action("propose", deployment, f"proposal {proposal.id}: {proposal.title}. {proposal.reason}")
    return None


def pending(registry: Registry, deployment: str) -> list[Proposal]:
    """Return a deployment's proposals that nobody decided, and approved ones whose change no model has yet."""
    found = registry.improvements.proposals("open") + registry.improvements.proposals("approved")
    return [proposal for proposal in found if proposal.deployment == deployment]


def _was_rejected(registry: Registry, deployment: str) -> bool:
    """Say whether somebody rejected a proposal for what the deployment serves now; it is not made twice."""
    current = registry.deployments.current(deployment)
    rejected = [p for p in registry.improvements.proposals("rejected") if p.deployment == deployment]
    return current is not None and any(p.at >= current.at for p in rejected)


def reject(workspace: Workspace, proposal: int, by: str) -> None:
    """Reject an open proposal; it is not made again before the deployment serves something else."""
    workspace.allowed("approve", by)
    if workspace.registry.improvements.proposal(proposal).state != "open":
        raise MlmError(f"proposal {proposal} is not open: revoke its amendments instead (mlm plan shows them)")
    workspace.registry.improvements.decide(proposal, "rejected", by=by, reason="rejected in mlm reconcile")


def revoke(workspace: Workspace, amendment: int, by: str) -> None:
    """Revoke an amendment: the steps that it changed are as the file says again."""
    workspace.allowed("approve", by)
    revoked = workspace.registry.improvements.revoke(amendment, by=by, reason="revoked in mlm reconcile")
    if revoked.proposal:
        workspace.registry.improvements.decide(revoked.proposal, "rejected", by=by, reason="its amendment was revoked")


def _ask(workspace: Workspace, table: Table, deployment: str, broken: list[Signal], view: Window) -> Proposal | None:
    values = {key: value for key, value in table.values.items() if key != "deployment"}
    plugin = workspace.plugin("improvers", values, f"improvement.{table.name}")
    with tempfile.TemporaryDirectory(dir=_place(workspace)) as place:
        folder = Path(place) / "out"
        folder.mkdir()
        suggestion = plugin.improve(broken, view, workspace.context(table.name, folder, Path(place)))
        return _store(workspace, table, plugin, deployment, suggestion) if suggestion else None


def _place(workspace: Workspace) -> Path:
    place = workspace.project.registry / "work"
    place.mkdir(parents=True, exist_ok=True)
    return place


def _store(workspace: Workspace, table: Table, plugin: Plugin, deployment: str, suggestion: Suggestion) -> Proposal:
    registry = workspace.registry
    changes: list[dict[str, Any]] = []
    for target, dataset in suggestion.add.items():
        execution = registry.start(
            Execution(
                step=table.name,
                stage="improvement",
                run="reconcile",
                plugin=plugin.ref.identity,
                distribution=plugin.ref.distribution,
                distribution_version=plugin.ref.version,
                plugin_digest=code_digest(type(plugin.instance)),
                environment=environment(),
            )
        )
        node = stored(registry, table.name, dataset)
        [node] = registry.finish(attrs.evolve(execution, status="ran"), outputs=[node])
        changes.append({"op": "add", "target": target, "value": node.ref})
    for target, keys in suggestion.set.items():
        changes += [{"op": "set", "target": target, "key": key, "value": value} for key, value in keys.items()]
    return registry.improvements.propose(
        Proposal(
            title=suggestion.title,
            reason=suggestion.reason,
            plan=suggestion.plan,
            changes=tuple(changes),
            evidence=suggestion.evidence,
            by=plugin.ref.identity,
            deployment=deployment,
        )
    )


def approve(workspace: Workspace, proposal: Proposal, by: str, reason: str) -> list[Amendment]:
    """Turn a proposal into amendments, which stand beside the project file from now on."""
    workspace.allowed("approve", by)
    registry = workspace.registry
    with registry.transaction(durable=True):
        registry.improvements.decide(proposal.id, "approved", by=by, reason=reason, expected="open")
        registry.models.approve(f"proposal {proposal.id}", "amend", by=by, reason=reason)
        return [
            registry.improvements.amend(
                Amendment(
                    op=change["op"],
                    target=change["target"],
                    value=_left(registry, change["value"]) if change["op"] == "add" else change["value"],
                    key=change.get("key", ""),
                    by=by,
                    reason=proposal.title,
                    proposal=proposal.id,
                )
            )
            for change in proposal.changes
        ]


def _left(registry: Registry, ref: str) -> str:
    """Return the ref of what an erasure since the proposal left of a dataset."""
    return registry.node(registry.erasures.in_place_of(registry.node(ref).id)).ref


def settle(workspace: Workspace, model: str, serving: int) -> list[Action]:
    """Mark approved proposals as done once the serving version grew from what they changed."""
    registry = workspace.registry
    lineage = [registry.node(id) for id in {serving, *registry.graph.upstream(serving)}]
    done = []
    for proposal in registry.improvements.proposals("approved"):
        if all(_grew_from(registry, lineage, change) for change in proposal.changes):
            registry.improvements.decide(proposal.id, "done", by="reconcile", reason=f"{model} serves with it")
            done.append(
                Action("settle", model, f"proposal {proposal.id} is done: {registry.node(serving).ref} learned from it")
            )
    return done


def _grew_from(registry: Registry, lineage: list[Node], change: Mapping[str, Any]) -> bool:
    """Say whether a change is in a lineage: the rows that it added, or the setting that it set."""
    if change["op"] == "add":
        return registry.node(change["value"]).id in {node.id for node in lineage}
    step = change["target"].rpartition(".")[2]
    made = [registry.execution(node.execution) for node in lineage if node.name == step]
    return any(execution.settings.get(change["key"]) == change["value"] for execution in made)
