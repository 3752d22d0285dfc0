"""What an impact or a recall is asked of: a node, a row, a source, or a version of a plugin."""

from __future__ import annotations

from attrs import frozen

from mlm.holdings import Holding, holdings, of_row, of_source
from mlm.inspecting import resolve
from mlm_registry import Node, NotFound, Registry


@frozen
class Subject:
    """The nodes that are meant, and all that rests on them."""

    name: str
    nodes: tuple[Node, ...]
    """What was named: a node, the datasets that hold a row, or what a plugin made."""
    reached: tuple[int, ...]
    """Ids of those nodes and of everything that came from them, oldest first."""


def subject(registry: Registry, name: str) -> Subject:
    """Read a subject.

    Args:
        name: A node's ref, an alias or a response's id; `row:ID`; `source:facts.jsonl` or `source:facts.jsonl:12`;
            `plugin:sft`, `plugin:mlm:trainers/sft` or, of one version only, `plugin:sft==0.1.0`.

    Raises:
        NotFound: Nothing is of that name.
    """
    kind, _, rest = name.partition(":")
    if kind in ("row", "source") and rest:
        held = [h for h in holdings(registry, of_row(rest) if kind == "row" else of_source(rest)) if h.split]
        if not held:
            raise NotFound(
                f"no stored dataset holds {kind} {rest!r}; expected an id as `mlm show` and `mlm cite` give it"
            )
        return _of_rows(registry, name, held)
    if kind == "plugin" and rest:
        plugin, _, version = rest.partition("==")
        nodes = registry.made_by(plugin, version)
        if not nodes:
            raise NotFound(f"nothing was made by plugin {rest!r}; expected a name as `mlm show` gives it")
    else:
        nodes = [resolve(registry, name)]
    return Subject(name, tuple(nodes), tuple(registry.graph.reach(node.id for node in nodes)))


def _of_rows(registry: Registry, name: str, held: list[Holding]) -> Subject:
    """Follow rows: into datasets that hold them, and out of these only by the splits that hold them."""
    nodes = {holding.node.id: holding.node for holding in held}
    splits = {(holding.node.id, holding.split) for holding in held}
    whole = registry.graph.reach(nodes)
    kinds = {node.id: node.kind for node in registry.nodes_of(whole)}
    touched = [
        edge.target
        for edge in registry.graph.edges(whole)
        if kinds[edge.target] != "dataset" and edge.source in nodes
        if not edge.split or (edge.source, edge.split) in splits
    ]
    return Subject(name, tuple(nodes.values()), tuple(sorted({*nodes, *registry.graph.reach(touched)})))
