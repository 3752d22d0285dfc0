"""Everything that a node came from, beside the barest query that can answer it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from tests.benchmarks.measuring import Pair, Size, benchmark, cpu

from mlm_registry import Execution, Registry

PIPELINE = 200
ANCESTORS = 60
_CTE = (
    "WITH RECURSIVE reached(id) AS (VALUES (?) UNION SELECT source FROM edges JOIN reached ON target = id)"
    " SELECT id FROM reached"
)


@benchmark(
    "closure",
    "60 ancestors in a graph of 1e5 edges, microseconds of CPU",
    peer="a recursive CTE over integer ids",
    goal="<= 1.5",
    rounds=9,
)
def closure(size: Size) -> Iterator[Pair]:
    count = size.of(50_000, 2_000)
    edges = pipelines(count)
    target = count - PIPELINE + ANCESTORS + 1
    bare = sqlite3.connect(size.folder / "bare.db")
    bare.execute("CREATE TABLE edges (source INTEGER, target INTEGER, PRIMARY KEY (target, source)) WITHOUT ROWID")
    bare.executemany("INSERT INTO edges VALUES (?, ?)", edges)
    bare.commit()
    with Registry.open(size.folder / "registry") as registry:
        plant(registry, count, edges)
        ours, peer = registry.graph.upstream(target), bare.execute(_CTE, (target,)).fetchall()
        assert len(ours) == len(peer) - 1 == ANCESTORS
        times = size.of(2000, 50)
        yield (
            lambda: 1e6 * cpu(lambda: registry.graph.upstream(target), times),
            lambda: 1e6 * cpu(lambda: bare.execute(_CTE, (target,)).fetchall(), times),
        )
    bare.close()


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
