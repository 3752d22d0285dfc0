"""Recall: what must not be used any more is flagged, and traffic drains to the last clean version.

A recall asks no check. It flags the nodes that were named; what rests on them is read from the graph, so that a node
made later is recalled from its birth, and undoing the recall restores what was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from mlm.errors import Refused
from mlm.impact import Impact, impact_of
from mlm.subjects import Subject, subject
from mlm.workspace import Workspace
from mlm_registry import Arm, Deployment, Registry


@frozen
class Move:
    """An alias or a deployment that a recall drained, with versions and shares; after is empty where none is clean.

    An alias without a clean version stays where it is, and what it points at is refused; a deployment serves nothing.
    """

    kind: str
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@frozen
class Recalled:
    """A recall, what it touched, and what it moved; id 0: nothing was done yet."""

    id: int
    impact: Impact
    moves: tuple[Move, ...]
    kept: tuple[str, ...] = ()
    """Of an undone recall: what stays where it is, because it was moved since or may not come back."""


def recall(workspace: Workspace, name: str, *, by: str, reason: str, dry_run: bool = False) -> Recalled:
    """Recall a subject (see `mlm.subjects.subject`): whole nodes are flagged, those that hold a row too.

    Raises:
        NotFound: Nothing is of that name.
        MlmError: `[access]` gives recalls to others.
        Refused: Every node of the subject is recalled already.
    """
    registry = workspace.registry
    workspace.allowed("recall", by)
    if dry_run:
        return _planned(registry, _whole(registry, name))[0]
    with registry.transaction(durable=True):
        # Inside the transaction: an alias or traffic may move while the subject is looked for.
        of = _whole(registry, name)
        flagged = [node.id for node in of.nodes]
        if registry.recalls.recalled(flagged) == set(flagged):
            raise Refused(f"{name} is recalled already (mlm recall --list)", "recalled")
        plan, writes = _planned(registry, of)
        done = registry.recalls.add(name, flagged, by=by, reason=reason, moves=writes)
        why = f"recall {done.id} of {name}: {reason}"
        for write in writes:
            _apply(registry, write, "after", by, why)
    return evolve(plan, id=done.id)


def undo(workspace: Workspace, recall_id: int, *, by: str, reason: str) -> Recalled:
    """Undo a recall, and bring back what it drained where nobody moved it since and nothing else forbids it."""
    registry = workspace.registry
    workspace.allowed("recall", by)
    with registry.transaction(durable=True):
        done = registry.recalls.undo(recall_id, by=by, reason=reason)
        moves, kept = [], []
        for write in reversed(done.moves):
            if not write["after"] and write["kind"] == "alias":
                continue
            if _stands(registry, write) and _may_return(registry, write["before"]):
                _apply(registry, write, "before", by, f"recall {recall_id} is undone: {reason}")
                moves.append(_move(registry, write, back=True))
            else:
                kept.append(f"{write['kind']} {write['name']}")
    nodes = tuple(registry.nodes_of(done.nodes))
    of = Subject(done.subject, nodes, tuple(registry.graph.reach(done.nodes)))
    return Recalled(done.id, impact_of(registry, of), tuple(moves), tuple(kept))


def _whole(registry: Registry, name: str) -> Subject:
    of = subject(registry, name)
    return evolve(of, reached=tuple(registry.graph.reach(node.id for node in of.nodes)))


def _planned(registry: Registry, of: Subject) -> tuple[Recalled, list[Mapping[str, Any]]]:
    """Say where aliases and traffic go, and write it as the registry keeps it."""
    barred = set(of.reached) | set(registry.graph.reach(_flagged(registry)))
    writes: list[Mapping[str, Any]] = []
    for alias in registry.models.aliases():
        if alias.node in barred:
            clean = _last_clean(registry, [move.node for move in registry.models.history(alias.name)], barred)
            after = [[clean, 1.0]] if clean else []
            writes.append({"kind": "alias", "name": alias.name, "before": [[alias.node, 1.0]], "after": after})
    for name in registry.deployments.names():
        current = registry.deployments.current(name)
        if current and any(arm.node in barred for arm in current.arms):
            arms = _drained(registry, current, barred)
            revision = current.revision + 1
            before = [[arm.node, arm.share] for arm in current.arms]
            writes.append({"kind": "deployment", "name": name, "revision": revision, "before": before, "after": arms})
    return Recalled(0, impact_of(registry, of), tuple(_move(registry, write) for write in writes)), writes


def _drained(registry: Registry, current: Deployment, barred: set[int]) -> list[list[float]]:
    """Return the arms that stay, else the last clean version that served alone; none: out of service.

    An arm that never served alone is a candidate: a recall of what it is compared with is no verdict on it.
    """
    alone = [d.arms[0].node for d in registry.deployments.history(current.name) if len(d.arms) == 1]
    proven = [arm for arm in current.arms if arm.node not in barred and arm.node in alone]
    total = sum(arm.share for arm in proven)
    if total:
        return [[arm.node, round(arm.share / total, 6)] for arm in proven]
    last = _last_clean(registry, alone, barred)
    return [[last, 1.0]] if last else []


def _last_clean(registry: Registry, nodes: list[int], barred: set[int]) -> int | None:
    """Return the newest of the nodes that is approved and rests on nothing recalled."""
    approved = {v.node.id for v in registry.models.versions() if v.state == "approved"}
    return next((node for node in nodes if node in approved and node not in barred), None)


def _flagged(registry: Registry) -> list[int]:
    return [node for recall in registry.recalls.standing() for node in recall.nodes]


def _apply(registry: Registry, write: Mapping[str, Any], side: str, by: str, reason: str) -> None:
    arms = [Arm(int(node), float(share)) for node, share in write[side]]
    if write["kind"] == "deployment":
        registry.deployments.desire(write["name"], arms, by=by, reason=reason)
    elif arms:
        registry.models.move_alias(write["name"], arms[0].node, by=by, reason=reason)


def _stands(registry: Registry, write: Mapping[str, Any]) -> bool:
    """Say whether what a recall moved is still where the recall put it."""
    if write["kind"] == "deployment":
        current = registry.deployments.current(write["name"])
        return current is not None and current.revision == write["revision"]
    alias = registry.models.alias(write["name"])
    return alias is not None and bool(write["after"]) and alias.node == write["after"][0][0]


def _may_return(registry: Registry, arms: list[list[float]]) -> bool:
    barred = set(registry.graph.reach(_flagged(registry)))
    return all(node not in barred and registry.models.version(int(node)).state == "approved" for node, _ in arms)


def _move(registry: Registry, write: Mapping[str, Any], *, back: bool = False) -> Move:
    before, after = (_named(registry, write[side]) for side in ("before", "after"))
    return Move(write["kind"], write["name"], *((after, before) if back else (before, after)))


def _named(registry: Registry, arms: list[list[float]]) -> tuple[str, ...]:
    return tuple(f"{registry.node(int(node)).ref} {share:.0%}" for node, share in arms)
