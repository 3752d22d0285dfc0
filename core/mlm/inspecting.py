"""One node with all that is known of it, and its lineage."""

from __future__ import annotations

from typing import Any, Literal

from attrs import frozen

from mlm_registry import Node, NotFound, Registry


def describe(registry: Registry, ref: str) -> dict[str, Any]:
    """Return a node with its execution, inputs, rows, chain and scores."""
    node = resolve(registry, ref)
    execution = registry.execution(node.execution) if node.execution else None
    scores = registry.scores(model=node.digest) if node.kind == "model" else registry.scores(report=node.id)
    return {
        "node": node,
        "path": registry.objects.path(node.digest),
        "execution": execution,
        "inputs": [{"role": role, "ref": source.ref, "split": split} for role, source, split in registry.inputs(node)],
        "rows": node.metadata.get("rows", {}),
        "chain": node.metadata.get("chain", []),
        "scores": scores,
    }


@frozen
class Traced:
    """One node of a lineage, with the refs that it came from."""

    ref: str
    kind: str
    stage: str
    digest: str
    sources: tuple[str, ...]


def trace(registry: Registry, ref: str, direction: Literal["up", "down"]) -> list[Traced]:
    """Return the node and everything it came from (`up`) or that came from it (`down`), oldest first.

    A response's id stands for the model version that gave it.
    """
    start = resolve(registry, ref)
    ids = registry.graph.upstream(start.id) if direction == "up" else registry.graph.downstream(start.id)
    nodes = {node_id: registry.node(node_id) for node_id in sorted({*ids, start.id})}
    sources: dict[int, list[str]] = {}
    for edge in registry.graph.edges(list(nodes)):
        sources.setdefault(edge.target, []).append(nodes[edge.source].ref)
    return [
        Traced(node.ref, node.kind, _stage(registry, node), node.digest, tuple(dict.fromkeys(sources.get(node.id, []))))
        for node in nodes.values()
    ]


def resolve(registry: Registry, ref: str) -> Node:
    """Return a node by its ref, or the model version that gave the response of that id."""
    if ref.startswith(("chatcmpl-", "cmpl-")):
        return registry.node(registry.exchanges.get(ref).node)
    try:
        return registry.node(ref)
    except NotFound:
        alias = registry.models.alias(ref)
        if alias is None:
            raise
        return registry.node(alias.node)


def _stage(registry: Registry, node: Node) -> str:
    return registry.execution(node.execution).stage if node.execution else ""
