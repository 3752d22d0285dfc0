"""Closures over the lineage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_registry import Execution, Node, Registry

Make = Callable[..., Node]
SIZE = 9
EXECUTION = Execution("s", "s", "r", "p")
Edges = list[tuple[int, int]]


def closure(edges: Edges, start: int, depth: int) -> set[int]:
    """Walk the edges one hop at a time."""
    reached, frontier = set[int](), {start}
    for _ in range(depth):
        frontier = {b for a, b in edges if a in frontier} - reached
        reached |= frontier
    return reached - {start}


def fill(registry: Registry, edges: Edges, start: int = 0) -> None:
    for node in range(start + 1, start + SIZE + 1):
        inputs = [("data", a, "") for a, b in edges if b == node]
        registry.finish(EXECUTION, outputs=[Node(f"n{node}", "dataset", "0" * 64)], inputs=inputs)


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


@settings(max_examples=30, deadline=None)
@given(
    first=st.lists(edge, max_size=20, unique=True),
    later=st.lists(edge, max_size=20, unique=True),
    few=st.sampled_from([0, 3, 4000]),
)
def test_closures_in_memory_equal_a_walk_by_hand_also_when_nodes_were_added(
    first: Edges, later: Edges, few: int
) -> None:
    batches = [first, [(a + SIZE, b + SIZE) for a, b in later] + [(1, SIZE + 1)]]
    with (
        TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        Registry.open(Path(folder)) as registry,
        Registry.open(Path(folder)) as another,
    ):
        patch.setattr("mlm_registry.graph._FEW", 0)
        patch.setattr("mlm_registry.adjacency._FEW", few)
        for batch in range(2):
            fill(another, batches[batch], start=batch * SIZE)
            edges = [e for known in batches[: batch + 1] for e in known]
            for node in range(1, batch * SIZE + SIZE + 1):
                for _ in range(2):  # The second question is answered from memory.
                    assert sorted(closure(edges, node, 2 * SIZE)) == registry.graph.downstream(node)
                    backwards = [(b, a) for a, b in edges]
                    assert sorted(closure(backwards, node, 2 * SIZE)) == registry.graph.upstream(node)


def test_a_closure_in_memory_bears_a_node_that_comes_while_the_edges_are_read(
    registry: Registry, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlm_registry.graph._FEW", 0)
    a = make("a", "dataset")
    b = make("b", inputs=(a,))
    assert [b.id] == registry.graph.downstream(a.id)
    added: list[Node] = []

    def add_once(sql: str) -> None:
        if "FROM edges WHERE target >" in sql and not added:
            with Registry.open(registry.folder) as another:
                inputs = [("data", b.id, "")]
                added.extend(another.finish(EXECUTION, outputs=[Node("c", "dataset", "0" * 64)], inputs=inputs))

    registry.database.connection.set_trace_callback(add_once)

    assert [b.id] == registry.graph.downstream(a.id)
    assert added
    assert [b.id, added[0].id] == registry.graph.downstream(a.id)


def test_a_closure_in_memory_forgets_what_a_transaction_undid(
    registry: Registry, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlm_registry.graph._FEW", 0)
    a = make("a", "dataset")
    b = make("b", inputs=(a,))
    for _ in range(2):
        assert [b.id] == registry.graph.downstream(a.id)
    ids: list[int] = []
    with suppress(ZeroDivisionError), registry.database.transaction():
        ids.append(make("undone", inputs=(b,)).id)
        assert [b.id, *ids] == registry.graph.downstream(a.id)
        raise ZeroDivisionError

    kept = make("kept", inputs=(a,))

    assert [kept.id] == ids
    assert [b.id, kept.id] == registry.graph.downstream(a.id)
    assert [a.id] == registry.graph.upstream(kept.id)


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
