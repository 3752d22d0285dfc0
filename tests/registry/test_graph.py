"""Closures over the lineage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_registry import Execution, Node, Registry

Make = Callable[..., Node]
SIZE = 9
Edges = list[tuple[int, int]]


def closure(edges: Edges, start: int, depth: int) -> set[int]:
    """Walk the edges one hop at a time."""
    reached, frontier = set[int](), {start}
    for _ in range(depth):
        frontier = {b for a, b in edges if a in frontier} - reached
        reached |= frontier
    return reached - {start}


def fill(registry: Registry, edges: Edges) -> None:
    for node in range(1, SIZE + 1):
        inputs = [("data", a, "") for a, b in edges if b == node]
        registry.finish(Execution("s", "s", "r", "p"), outputs=[Node(f"n{node}", "dataset", "0" * 64)], inputs=inputs)


edge = st.tuples(st.integers(1, SIZE), st.integers(1, SIZE)).map(sorted).filter(lambda e: e[0] != e[1]).map(tuple)


@settings(max_examples=40, deadline=None)
@given(edges=st.lists(edge, max_size=20, unique=True), depth=st.integers(0, SIZE))
def test_closures_equal_a_walk_by_hand(edges: Edges, depth: int) -> None:
    backwards = [(b, a) for a, b in edges]
    with TemporaryDirectory() as folder, Registry.open(Path(folder)) as registry:
        fill(registry, edges)
        for node in range(1, SIZE + 1):
            assert sorted(closure(edges, node, SIZE)) == registry.graph.downstream(node)
            assert sorted(closure(backwards, node, SIZE)) == registry.graph.upstream(node)
            assert sorted(closure(edges, node, depth)) == registry.graph.downstream(node, depth)
            assert sorted(closure(backwards, node, depth)) == registry.graph.upstream(node, depth)
            below = closure(edges, 1, SIZE) | {1}
            above = closure(backwards, node, SIZE) | {node}
            expected = sorted(below & above) if node in below else []
            assert expected == registry.graph.between(1, node) == registry.graph.between(node, 1)


def test_edges_are_those_among_the_nodes_asked_for(registry: Registry, make: Make) -> None:
    a = make("a", "dataset")
    b = make("b", "dataset", inputs=(a,))
    c = make("c", inputs=(a, b))

    found = registry.graph.edges([a.id, c.id])

    assert [(a.id, c.id, "data")] == [(e.source, e.target, e.role) for e in found]


def test_closures_read_indexes_only(registry: Registry) -> None:
    for column in ("source", "target"):
        [(*_, plan)] = registry.database.query(
            f"EXPLAIN QUERY PLAN SELECT source, target FROM edges WHERE {column} = 1"
        )

        assert "SEARCH" in plan
        assert "PRIMARY KEY" in plan or "COVERING INDEX" in plan
