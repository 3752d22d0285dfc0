"""The state of a project at one look: versions, gates, scores, deployments, signals, proposals."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from attrs import field, frozen

from mlm.requirements import Requirement
from mlm.retiring import share
from mlm.standing import Standing, recalled_upstream
from mlm.verdicts import all_of
from mlm.workspace import Workspace
from mlm_registry import Execution, Judgement, ModelVersion, Observation, Proposal, Registry, processes

SILENT_SECONDS = 5.0
"""Age of a heartbeat from which an endpoint counts as gone."""


@frozen
class VersionView:
    """One model version."""

    ref: str
    stage: str
    state: str
    recalled: bool
    digest: str
    share: float
    aliases: tuple[str, ...] = ()
    gates: tuple[dict[str, Any], ...] = ()

    @property
    def gates_text(self) -> str:
        if not self.gates:
            return ""
        if not all(gate["current"] for gate in self.gates):
            return "to be judged again: the requirements changed"
        passed = sum(gate["outcome"] == "pass" for gate in self.gates)
        rest = [f"{gate['requirement']} {gate['outcome']}" for gate in self.gates if gate["outcome"] != "pass"]
        return f"{passed} of {len(self.gates)} pass" + (f" ({', '.join(rest)})" if rest else "")


@frozen
class ScoreView:
    """The score that stands for one metric of one model version; `current` says whether its report is up to date."""

    step: str
    metric: str
    model: str
    value: float
    low: float | None
    high: float | None
    n: int
    unit: str
    current: bool | None


@frozen
class Overview:
    """What `mlm status` shows."""

    project: str
    versions: tuple[VersionView, ...]
    scores: tuple[ScoreView, ...]
    deployments: tuple[dict[str, Any], ...]
    signals: tuple[dict[str, Any], ...]
    proposals: tuple[Proposal, ...]
    last_run: dict[str, Any] | None = field(default=None)


def overview(workspace: Workspace) -> Overview:
    """Read the state of a project from its registry."""
    registry = workspace.registry
    versions = registry.models.versions()
    return Overview(
        project=workspace.project.problem.name,
        versions=tuple(_version(workspace, v) for v in versions if v.node.metadata.get("library") != "tokenizers"),
        scores=tuple(_scores(workspace, versions)),
        deployments=tuple(_deployment(registry, name) for name in registry.deployments.names()),
        signals=tuple(_signals(workspace)),
        proposals=tuple(registry.improvements.proposals()),
        last_run=_last_run(registry),
    )


def _version(workspace: Workspace, version: ModelVersion) -> VersionView:
    registry = workspace.registry
    node = version.node
    gates = registry.judgements(subject=node.digest, kind="gate", latest=True)
    return VersionView(
        ref=node.ref,
        stage=registry.execution(node.execution).stage if node.execution else "",
        state=version.state,
        recalled=bool(recalled_upstream(registry, node.id)),
        digest=node.digest,
        share=share(workspace, version),
        aliases=tuple(a.name for a in registry.models.aliases() if a.node == node.id),
        gates=tuple(_gate(gate, workspace.requirements_digest) for gate in gates),
    )


def _gate(gate: Judgement, requirements: str) -> dict[str, Any]:
    return {
        "current": gate.requirements == requirements,
        "requirement": gate.by,
        "outcome": gate.outcome,
        "code": gate.code,
        "reason": gate.reason,
        "value": gate.evidence.get("value"),
        "low": gate.low,
        "high": gate.high,
        "n": gate.evidence.get("n"),
    }


def _scores(workspace: Workspace, versions: list[ModelVersion]) -> list[ScoreView]:
    """Return the score of each metric of each compared model, in the order of the lifecycle."""
    standing, found = Standing(workspace), list[ScoreView]()
    first = {v.node.name: v.node.id for v in sorted(versions, key=lambda v: -v.node.id)}
    for version in sorted(_compared(versions), key=lambda v: (first[v.node.name], v.node.id)):
        for standing_score in standing.scores(version):
            s, current = standing_score.score, standing_score.current
            found.append(ScoreView(s.step, s.metric, version.node.ref, s.value, s.low, s.high, s.n, s.unit, current))
    return found


def _compared(versions: list[ModelVersion]) -> list[ModelVersion]:
    """Return the newest version of each step, and every version that was ever approved."""
    newest = {v.node.name: v.node.id for v in sorted(versions, key=lambda v: v.node.id)}
    return [v for v in versions if v.state != "candidate" or newest[v.node.name] == v.node.id]


def _deployment(registry: Registry, name: str) -> dict[str, Any]:
    current = registry.deployments.current(name)
    observed = registry.deployments.observation(name)
    arms = current.arms if current else ()
    return {
        "name": name,
        "revision": current.revision if current else 0,
        "arms": [{"version": registry.node(arm.node).ref, "share": arm.share} for arm in arms],
        "endpoint": _endpoint(observed),
        "heartbeat": observed.heartbeat if observed else None,
    }


def _endpoint(observed: Observation | None) -> str:
    if observed is None:
        return "no endpoint was seen"
    if not observed.pid or time.time() - observed.heartbeat > SILENT_SECONDS:
        return f"no endpoint runs (the last was {observed.url}, revision {observed.revision})"
    return f"{observed.url} serves revision {observed.revision}"


def _signals(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the newest value of each metric that was measured on the version that serves most."""
    registry = workspace.registry
    rows = []
    for name in registry.deployments.names():
        current = registry.deployments.current(name)
        node = max(current.arms, key=lambda arm: arm.share).node if current and current.arms else None
        newest: dict[str, Any] = {}
        for row in registry.signals(deployment=name, node=node):
            newest.setdefault(row.metric, row)
        rows += [_signal(workspace.project.requirements, row) for row in newest.values()]
    return rows


def _signal(requirements: tuple[Requirement, ...], row: Any) -> dict[str, Any]:
    found = [r.judge(row.value, row.low, row.high) for r in requirements if r.metric == row.metric]
    verdict = all_of(found).outcome if found else None
    return {
        "deployment": row.deployment,
        "metric": row.metric,
        "value": row.value,
        "low": row.low,
        "high": row.high,
        "n": row.n,
        "unit": row.unit,
        "coverage": row.coverage,
        "verdict": verdict,
    }


def _last_run(registry: Registry) -> dict[str, Any] | None:
    runs = [name for name in registry.runs() if name != "reconcile"]
    if not runs:
        return None
    executions = registry.executions(run=runs[0])
    counts = Counter(_ended(e) for e in executions)
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    failed = [{"step": e.step, "error": e.error} for e in executions if e.status == "failed"]
    return {"run": runs[0], "started": min(e.started for e in executions), "steps": told, "failed": failed}


def _ended(execution: Execution) -> str:
    """Return the status of an execution; the next run stores that one of a dead process was interrupted."""
    dead = execution.status == "running" and not processes.is_alive(execution.environment)
    return "interrupted" if dead else execution.status
