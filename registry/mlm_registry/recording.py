"""What happened: executions, their products, and how they came from one another."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from operator import lt
from typing import TYPE_CHECKING, Any

from attrs import evolve

from mlm_registry import processes
from mlm_registry.database import Database
from mlm_registry.errors import NotFound, RegistryError
from mlm_registry.records.runs import (
    EXECUTIONS,
    METRICS,
    NODES,
    PLUGIN_USES,
    SCORES,
    Execution,
    Metric,
    Node,
    PluginUse,
    Score,
)
from mlm_registry.seals import seal, seal_execution

if TYPE_CHECKING:
    from mlm_registry.objects import Objects

_FINISH = "UPDATE executions SET status = ?, error = ?, seconds = ?, cpu_seconds = ?, cost_usd = ? WHERE id = ?"
_NEXT = (
    "SELECT (SELECT coalesce(max(id), 0) + 1 FROM nodes),"
    " (SELECT coalesce(max(version), 0) + 1 FROM nodes WHERE name = ?)"
)
_EDGE = "INSERT OR IGNORE INTO edges (source, target, role, position, split) VALUES (?, ?, ?, ?, ?)"
_LOGGED = "SELECT 1 FROM metrics WHERE execution = ? LIMIT 1"
_LAST_VALUE_WINS = " ON CONFLICT DO UPDATE SET value = excluded.value"
# SQLite's smallest bound on parameters of one statement.
_CHUNK = 900


class Recording:
    """The part of the registry that executions write, and read to be skipped."""

    database: Database

    @property
    def objects(self) -> Objects:
        """The bytes that nodes name."""
        raise NotImplementedError

    def start(self, execution: Execution) -> Execution:
        """Store a running execution; it gets its id, its start and the identity of this process."""
        started = evolve(
            execution,
            status="running",
            started=execution.started or time.time(),
            environment={**execution.environment, **processes.identity()},
            id=0,
        )
        with self.database.transaction() as connection:
            return evolve(started, id=EXECUTIONS.insert(connection, started))

    def finish(
        self,
        execution: Execution,
        *,
        outputs: Sequence[Node] = (),
        inputs: Sequence[tuple[str, int, str]] = (),
        uses: Sequence[PluginUse] = (),
        metrics: Sequence[Metric] = (),
        scores: Sequence[Score] = (),
    ) -> list[Node]:
        """Store an execution's end and everything it made, in one transaction.

        Args:
            execution: As started, with its final status, error, times and cost; `running` means `ran`, and 0 seconds
                are measured from its start. One that was never started is stored whole.
            outputs: Get their id, the next version of their name, and the execution. A failed one has none.
            inputs: (role, node id, split or nothing), in order; each leads to each output.
            uses: Further plugins, in their order; they get the execution's id and their position.
            metrics: Get the execution's id.
            scores: Get the first output as report.
        """
        done = _ended(execution)
        if outputs and done.status != "ran":
            raise RegistryError(f"step {done.step!r} {done.status}, so it has no outputs; got {len(outputs)}")
        if scores and not outputs:
            raise RegistryError(f"step {done.step!r} has {len(scores)} scores and no report that holds them")
        with self.database.transaction() as connection:
            number = _store_end(connection, done)
            nodes = [_store_node(connection, node, number) for node in outputs]
            connection.executemany(
                _EDGE,
                [(source, node.id, role, i, split) for node in nodes for i, (role, source, split) in enumerate(inputs)],
            )
            if uses:
                placed = [evolve(use, execution=number, position=i) for i, use in enumerate(uses, start=1)]
                PLUGIN_USES.insert_all(connection, placed)
            known = _store_curves(connection, metrics, number)
            if scores:
                known |= _store_scores(connection, scores, nodes[0].id)
            seal_execution(connection, number, known)
        return nodes

    def log(self, metrics: Sequence[Metric]) -> None:
        """Store points of a running execution's curves; the last value of a point wins."""
        with self.database.transaction() as connection:
            METRICS.insert_all(connection, metrics, _LAST_VALUE_WINS)

    def fail_running(self, run: str | None, reason: str) -> int:
        """Mark executions of dead processes as interrupted, and return how many; None means every run."""
        tail = "WHERE status = 'running'" + (" AND run = ?" if run is not None else "")
        with self.database.transaction() as connection:
            rows = connection.execute(EXECUTIONS.select(tail), () if run is None else (run,)).fetchall()
            dead = [e for e in map(EXECUTIONS.load, rows) if not processes.is_alive(e.environment)]
            connection.executemany(
                "UPDATE executions SET status = 'interrupted', error = ? WHERE id = ?", [(reason, e.id) for e in dead]
            )
            for execution in dead:
                seal_execution(connection, execution.id)
        return len(dead)

    def cached(self, fingerprint: str, stands: Callable[[list[Node]], bool] = bool) -> list[Node]:
        """Return what the newest execution with that fingerprint made, if every byte of it is still there.

        Args:
            stands: Asked of what each execution made, the newest first; the first that stands is returned.
        """
        return self.cached_many([fingerprint], stands).get(fingerprint, [])

    def cached_many(
        self, fingerprints: Iterable[str], stands: Callable[[list[Node]], bool] = bool
    ) -> dict[str, list[Node]]:
        """Return the cached outputs of many fingerprints; those without any are left out."""
        wanted = list(dict.fromkeys(f for f in fingerprints if f))
        found: dict[str, dict[int, list[Node]]] = {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            sql = (
                f"SELECT fingerprint, {NODES.columns} FROM executions JOIN nodes ON execution = executions.id"
                f" WHERE fingerprint IN ({', '.join('?' * len(chunk))}) AND status = 'ran'"
                " AND nodes.id NOT IN (SELECT node FROM tombstones) ORDER BY execution DESC, nodes.id"
            )
            for fingerprint, *row in self.database.query(sql, chunk):
                node = NODES.load(row)
                found.setdefault(fingerprint, {}).setdefault(node.execution, []).append(node)
        present = {
            fingerprint: next((nodes for nodes in made.values() if self._are_present(nodes) and stands(nodes)), [])
            for fingerprint, made in found.items()
        }
        return {fingerprint: nodes for fingerprint, nodes in present.items() if nodes}

    def _are_present(self, nodes: list[Node]) -> bool:
        return all(self.objects.has(node.digest) for node in nodes)


def _ended(execution: Execution) -> Execution:
    """Fill in what the caller left open: the status, the start and the duration."""
    now = time.time()
    started = execution.started or now
    return evolve(
        execution,
        status="ran" if execution.status == "running" else execution.status,
        started=started,
        seconds=execution.seconds or max(0.0, now - started),
    )


def _store_end(connection: sqlite3.Connection, e: Execution) -> int:
    if not e.id:
        return EXECUTIONS.insert(connection, e)
    changed = connection.execute(_FINISH, (e.status, e.error, e.seconds, e.cpu_seconds, e.cost_usd, e.id))
    if not changed.rowcount:
        raise NotFound(f"no execution has id {e.id}; start it first")
    return e.id


def _store_curves(connection: sqlite3.Connection, metrics: Sequence[Metric], execution: int) -> dict[str, list[Any]]:
    """Return the rows by their table, where SQLite keeps all of the execution's points as they were given."""
    columns = METRICS.columns_of(metrics, "execution", execution)
    rows = list(zip(*columns, strict=True))
    points = list(zip(columns[1], columns[2], strict=True))
    alone = not connection.execute(_LOGGED, (execution,)).fetchone() and all(map(lt, points, points[1:]))
    known = alone and METRICS.keeps(columns)
    connection.executemany(METRICS.insert_sql if known else METRICS.insert_sql + _LAST_VALUE_WINS, rows)
    return {"metrics": rows} if known else {}


def _store_scores(connection: sqlite3.Connection, scores: Sequence[Score], report: int) -> dict[str, list[Any]]:
    """Return the rows by their table, where SQLite keeps them as they were given."""
    columns = SCORES.columns_of(scores, "report", report)
    rows = list(zip(*columns, strict=True))
    connection.executemany(SCORES.insert_sql, rows)
    (last,) = connection.execute("SELECT max(id) FROM scores").fetchone()
    numbered = [(id, *row) for id, row in enumerate(rows, start=last + 1 - len(rows))]
    return {"scores": numbered} if SCORES.keeps(columns) else {}


def _store_node(connection: sqlite3.Connection, node: Node, execution: int) -> Node:
    id, version = connection.execute(_NEXT, (node.name,)).fetchone()
    made = evolve(node, id=id, version=version, execution=execution, created=node.created or time.time())
    NODES.insert(connection, made)
    if made.kind == "model":
        connection.execute("INSERT INTO model_versions (node, state) VALUES (?, 'candidate')", (made.id,))
        seal(connection, "model_versions", made.id)
    return made
