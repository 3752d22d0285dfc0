"""What rests on a source, down to live traffic, beside the barest query for what came from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from tests.benchmarks.closure import PIPELINE, pipelines, plant
from tests.benchmarks.measuring import Pair, Size, benchmark, cpu

from mlm.impact import impact
from mlm_registry import Arm, Registry

_CTE = (
    "WITH RECURSIVE reached(id) AS (VALUES (?) UNION SELECT target FROM edges JOIN reached ON source = id)"
    " SELECT id FROM reached"
)


@benchmark(
    "impact",
    "200 nodes down to live traffic in a graph of 1e5 edges, milliseconds of CPU",
    peer="a recursive CTE over integer ids, ids alone",
    goal="<= 20",
    rounds=9,
)
def impacts(size: Size) -> Iterator[Pair]:
    count = size.of(50_000, 2_000)
    edges = pipelines(count)
    source = count - PIPELINE + 1
    bare = sqlite3.connect(size.folder / "bare.db")
    bare.execute("CREATE TABLE edges (source INTEGER, target INTEGER, PRIMARY KEY (source, target)) WITHOUT ROWID")
    bare.executemany("INSERT INTO edges VALUES (?, ?)", edges)
    bare.commit()
    with Registry.open(size.folder / "registry") as registry:
        plant(registry, count, edges)
        registry.deployments.desire("api", [Arm(count, 1.0)], by="bench", reason="planted")
        found = impact(registry, f"node{source}@1")
        assert [d.version for d in found.deployments] == [f"node{count}@1"]
        assert len(found.models) + len(found.datasets) == len(bare.execute(_CTE, (source,)).fetchall()) == PIPELINE
        times = size.of(50, 5)
        yield (
            lambda: 1e3 * cpu(lambda: impact(registry, f"node{source}@1"), times),
            lambda: 1e3 * cpu(lambda: bare.execute(_CTE, (source,)).fetchall(), times),
        )
    bare.close()
