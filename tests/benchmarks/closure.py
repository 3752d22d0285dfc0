"""Everything that a node came from, beside the barest query that can answer it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.measuring import Pair, Size, benchmark, cpu

from mlm_registry import Execution, Registry

PIPELINE = 200
ANCESTORS = 60
LIMIT_MS = 50.0
_CTE = (
    "WITH RECURSIVE reached(id) AS (VALUES (?) UNION SELECT source FROM edges JOIN reached ON target = id)"
    " SELECT id FROM reached"
)


def _typical(key: str, edges: str, count: int) -> None:
    @benchmark(
        key,
        f"60 ancestors in a graph of {edges} edges, microseconds of CPU",
        peer="a recursive CTE over integer ids",
        goal="<= 1.5",
        rounds=9,
    )
    def closure(size: Size) -> Iterator[Pair]:
        nodes = size.of(count, 2_000)
        start = nodes - PIPELINE + ANCESTORS + 1
        with planted(size.folder, nodes, pipelines(nodes)) as (registry, bare):
            ours, peer = registry.graph.upstream(start), bare.execute(_CTE, (start,)).fetchall()
            assert len(ours) == len(peer) - 1 == ANCESTORS
            times = size.of(2000, 50)
            yield (
                lambda: 1e6 * cpu(lambda: registry.graph.upstream(start), times),
                lambda: 1e6 * cpu(lambda: bare.execute(_CTE, (start,)).fetchall(), times),
            )


for _key, _edges, _count in (
    ("closure-1e4", "1e4", 5_000),
    ("closure", "1e5", 50_000),
    ("closure-1e6", "1e6", 500_000),
):
    _typical(_key, _edges, _count)


@benchmark(
    "closure-large",
    "200,000 ancestors among 500,000 nodes, edges in memory, milliseconds of CPU",
    peer="the limit of 50 ms",
    goal="<= 1",
)
def large_closure(size: Size) -> Iterator[Pair]:
    nodes = size.of(500_000, 12_000)
    start = nodes * 2 // 5
    with planted(size.folder, nodes, woven(nodes)) as (registry, bare):
        expected = sorted(id for (id,) in bare.execute(_CTE, (start,)) if id != start)
        for _ in range(2):  # The second large closure reads the edges into memory.
            assert registry.graph.upstream(start) == expected
        yield lambda: 1e3 * cpu(lambda: registry.graph.upstream(start)), lambda: LIMIT_MS


@contextmanager
def planted(folder: Path, nodes: int, edges: list[tuple[int, int]]) -> Iterator[tuple[Registry, sqlite3.Connection]]:
    """Store a graph in a registry, and its edges alone in a bare database."""
    bare = sqlite3.connect(folder / "bare.db")
    bare.execute("CREATE TABLE edges (source INTEGER, target INTEGER, PRIMARY KEY (target, source)) WITHOUT ROWID")
    bare.executemany("INSERT INTO edges VALUES (?, ?)", edges)
    bare.commit()
    with Registry.open(folder / "registry") as registry:
        plant(registry, nodes, edges)
        yield registry, bare
    bare.close()


def woven(count: int) -> list[tuple[int, int]]:
    """Each node has two of the thousand nodes before it as parents: nearly all of them are ancestors."""
    draw = random.Random(1).randrange
    pairs = [(node, {draw(max(1, node - 1000), node), draw(max(1, node - 1000), node)}) for node in range(2, count + 1)]
    return [(parent, node) for node, parents in pairs for parent in parents]


def pipelines(count: int) -> list[tuple[int, int]]:
    """Each node but the first two of a pipeline has the two nodes before it as parents."""
    return [(node - back, node) for node in range(1, count + 1) for back in (1, 2) if (node - 1) % PIPELINE >= back]


def plant(registry: Registry, count: int, edges: list[tuple[int, int]]) -> None:
    """Store nodes and edges; the first node of a pipeline is a dataset, the others are models."""
    execution = registry.start(Execution("step", "data", "run", "mlm:sources/jsonl")).id
    kinds = [(node, "model" if (node - 1) % PIPELINE else "dataset") for node in range(1, count + 1)]
    with registry.transaction() as connection:
        connection.executemany(
            "INSERT INTO nodes (id, name, kind, digest, version, execution, metadata) VALUES (?, ?, ?, ?, 1, ?, '{}')",
            [(node, f"node{node}", kind, f"{node:064}", execution) for node, kind in kinds],
        )
        connection.executemany(
            "INSERT INTO model_versions (node, state) VALUES (?, 'candidate')",
            [(node,) for node, kind in kinds if kind == "model"],
        )
        connection.executemany("INSERT INTO edges (source, target, role) VALUES (?, ?, 'input')", edges)
