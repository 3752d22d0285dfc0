"""Recording one execution, beside the same rows written with nothing but sqlite3."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measuring import Pair, Size, benchmark, cpu

from mlm_registry import Execution, Metric, Node, Registry, Score

SETTINGS = {f"setting_{i}": i / 7 for i in range(20)}
ENVIRONMENT = {"python": "3.11", "platform": "linux"}
DIGEST = "0" * 64
SEAL = (b"d" * 32, b"c" * 328, b"e" * 32)


@benchmark(
    "record",
    "one execution of 76 rows in two transactions, sealed, ms of CPU",
    peer="the same rows, with a seal known beforehand, and transactions with raw sqlite3",
    goal="<= 1.3",
    rounds=9,
)
def record(size: Size) -> Iterator[Pair]:
    times = size.of(200, 20)
    with Registry.open(size.folder / "ours") as registry:
        inputs = inputs_of(registry)
        raw = _Raw(size.folder / "peer")
        yield (
            lambda: 1000 * cpu(lambda: record_one(registry, inputs), times),
            lambda: 1000 * cpu(raw.record, times),
        )
        raw.connection.close()


def inputs_of(registry: Registry) -> list[tuple[str, int, str]]:
    """Store three datasets, and return them as inputs."""
    execution = registry.start(Execution("data", "data", "r", "mlm:sources/jsonl"))
    nodes = registry.finish(execution, outputs=[Node(f"data{i}", "dataset", DIGEST) for i in range(3)])
    return [(f"input{i}", node.id, "") for i, node in enumerate(nodes)]


def record_one(registry: Registry, inputs: list[tuple[str, int, str]]) -> None:
    """Write 1 execution, 2 nodes, 6 edges, 50 metrics, 17 scores: 76 rows."""
    execution = registry.start(
        Execution("chat", "evaluation", "run-1", "mlm:evaluators/bleu", "mlm", "0.1.0", DIGEST, DIGEST, SETTINGS, 1)
    )
    registry.finish(
        execution,
        outputs=[Node("quality", "report", DIGEST), Node("answers", "dataset", DIGEST)],
        inputs=inputs,
        metrics=[Metric(0, "loss", step, step / 3) for step in range(50)],
        scores=[Score(f"metric_{i}", i / 17, DIGEST, DIGEST, "mlm:evaluators/bleu", "quality") for i in range(17)],
    )


class _Raw:
    """The same schema, written by hand: no records, no checks, ids and versions known beforehand."""

    def __init__(self, folder: Path) -> None:
        with Registry.open(folder) as registry:
            self.inputs = inputs_of(registry)
        self.connection = sqlite3.connect(folder / "registry.db", isolation_level=None)
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.count = 0

    def record(self) -> None:
        run, now = self.connection.execute, time.time()
        self.count += 1
        run("BEGIN IMMEDIATE")
        execution = run(
            "INSERT INTO executions (step, stage, run, plugin, distribution, distribution_version, plugin_digest,"
            " fingerprint, settings, seed, environment, status, started) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            ("chat", "evaluation", "run-1", "mlm:evaluators/bleu", "mlm", "0.1.0", DIGEST, DIGEST,
             json.dumps(SETTINGS), 1, json.dumps(ENVIRONMENT), "running", now),
        ).lastrowid  # fmt: skip
        run("COMMIT")
        run("BEGIN IMMEDIATE")
        run(
            "UPDATE executions SET status = ?, error = ?, seconds = ?, cpu_seconds = ?, cost_usd = ? WHERE id = ?",
            ("ran", None, 1.0, 1.0, 0.0, execution),
        )
        nodes = [
            run(
                "INSERT INTO nodes (name, kind, digest, version, execution, size_bytes, created, metadata)"
                " VALUES (?,?,?,?,?,?,?,?)",
                (name, kind, DIGEST, self.count, execution, 0, now, "{}"),
            ).lastrowid
            for name, kind in (("quality", "report"), ("answers", "dataset"))
        ]
        many = self.connection.executemany
        many(
            "INSERT INTO edges (source, target, role, position, split) VALUES (?,?,?,?,?)",
            [(source, node, role, i, "") for node in nodes for i, (role, source, _) in enumerate(self.inputs)],
        )
        many(
            "INSERT INTO metrics (execution, name, step, value) VALUES (?,?,?,?)",
            [(execution, "loss", step, step / 3) for step in range(50)],
        )
        many(
            "INSERT INTO scores (metric, value, model, data, evaluator, step, report, n, low, high, unit, settings,"
            " backend, seed) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    f"metric_{i}",
                    i / 17,
                    DIGEST,
                    DIGEST,
                    "mlm:evaluators/bleu",
                    "quality",
                    nodes[0],
                    0,
                    None,
                    None,
                    "",
                    "",
                    "",
                    0,
                )
                for i in range(17)
            ],
        )
        run('INSERT INTO seals ("table", "key", digest, checks, chain) VALUES (?,?,?,?,?)', ("executions", "1", *SEAL))
        run("COMMIT")
