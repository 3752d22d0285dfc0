"""One node with all that is known of it, and its lineage."""

from __future__ import annotations

from typing import Any, Literal

from attrs import asdict, frozen

from mlm_registry import Node, NotFound, Registry, Score

Presence = Literal["here", "at the remote", "erased", "lost"]


def describe(registry: Registry, ref: str) -> dict[str, Any]:
    """Return a node with its execution, inputs, rows, chain, scores and the last point of each curve that was logged.

    It has a path where its bytes are here.
    """
    node = resolve(registry, ref)
    execution = registry.execution(node.execution) if node.execution else None
    # Newest first; those of one report are in the order in which it has them.
    scores = registry.scores(model=node.digest) if node.kind == "model" else registry.scores(report=node.id)[::-1]
    reports = {report.id: report for report in registry.nodes_of({score.report for score in scores})}
    presence = presence_of(registry, node)
    # By step within each name, so the last one stays.
    logged = {metric.name: metric for metric in registry.metrics(node.execution)} if node.execution else {}
    return {
        "node": node,
        "path": registry.objects.path(node.digest) if presence == "here" else None,
        "presence": presence,
        "execution": execution,
        "inputs": [{"role": role, "ref": source.ref, "split": split} for role, source, split in registry.inputs(node)],
        "rows": node.metadata.get("rows", {}),
        "chain": node.metadata.get("chain", []),
        "scores": [_covered(score, reports[score.report]) for score in scores],
        "logged": [{"name": last.name, "step": last.step, "value": last.value} for last in logged.values()],
    }


def _covered(score: Score, report: Node) -> dict[str, Any]:
    """Return a score with the share of items that had a say in it; None where its report says nothing of that."""
    return asdict(score) | {"coverage": report.metadata.get("coverage", {}).get(score.metric)}


def presence_of(registry: Registry, node: Node) -> Presence:
    """Say where a node's bytes are."""
    if node.id in registry.erasures.buried():
        return "erased"
    if registry.objects.is_here(node.digest):
        return "here"
    return "at the remote" if registry.objects.has(node.digest) else "lost"


@frozen
class Traced:
    """One node of a lineage."""

    ref: str
    kind: str
    stage: str
    digest: str


@frozen
class Link:
    """An edge of a lineage, by refs: in which role, and of which split, the source went into the target."""

    source: str
    target: str
    role: str
    split: str


@frozen
class Lineage:
    """A node with what it came from or what came from it, oldest first, and the edges among them."""

    start: str
    nodes: tuple[Traced, ...]
    edges: tuple[Link, ...]


def trace(registry: Registry, ref: str, direction: Literal["up", "down"] = "up", to: str | None = None) -> Lineage:
    """Follow a lineage from a node; with `to`, only what lies on a path between the two.

    A response's id stands for the model version that gave it.

    Raises:
        NotFound: A ref names nothing, or no path leads from one node to the other.
    """
    start = resolve(registry, ref)
    if to is not None:
        ids = _between(registry, start, resolve(registry, to))
    else:
        ids = registry.graph.upstream(start.id) if direction == "up" else registry.graph.downstream(start.id)
    nodes = {node.id: node for node in registry.nodes_of([*ids, start.id])}
    stages = registry.stages({node.execution for node in nodes.values()})
    return Lineage(
        start.ref,
        tuple(Traced(n.ref, n.kind, stages.get(n.execution, ""), n.digest) for n in nodes.values()),
        tuple(Link(nodes[e.source].ref, nodes[e.target].ref, e.role, e.split) for e in registry.graph.edges(nodes)),
    )


def _between(registry: Registry, a: Node, b: Node) -> list[int]:
    ids = registry.graph.between(a.id, b.id)
    if not ids:
        raise NotFound(f"no lineage leads from {a.ref} to {b.ref}, nor back")
    return ids


def is_response(ref: str) -> bool:
    """Say whether a name is the id of a response, as OpenAI's API writes them."""
    return ref.startswith(("chatcmpl-", "cmpl-"))


def resolve(registry: Registry, ref: str) -> Node:
    """Return a node by its ref, or the model version that gave the response of that id."""
    if is_response(ref):
        return registry.node(registry.exchanges.get(ref).node)
    try:
        return registry.node(ref)
    except NotFound:
        alias = registry.models.alias(ref)
        if alias is None:
            raise
        return registry.node(alias.node)
