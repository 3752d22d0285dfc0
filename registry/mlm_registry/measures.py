"""What was measured and judged: metrics, scores, judgements and signals."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from mlm_registry.database import Database
from mlm_registry.records.runs import METRICS, SCORES, Metric, Score
from mlm_registry.rows import where
from mlm_registry.seals import seal

if TYPE_CHECKING:
    from mlm_registry.records.decisions import Judgement
    from mlm_registry.records.traffic import SignalRow

APART_SECONDS = 600.0
"""Time between two points of a monitored curve that are kept for good."""
_NEWEST_TWO = 'SELECT id, "at" FROM signals WHERE deployment = ? AND metric = ? AND node IS ? ORDER BY id DESC LIMIT 2'


class Measures:
    """The part of the registry that holds numbers, and the verdicts drawn from them."""

    database: Database

    def metrics(self, execution: int, name: str | None = None) -> list[Metric]:
        """List the points of an execution's curves, by name and step."""
        tail, parameters = where(execution=execution, name=name, order="name, step")
        return [METRICS.load(row) for row in self.database.query(METRICS.select(tail), parameters)]

    def scores(
        self,
        *,
        model: str | None = None,
        metric: str | None = None,
        step: str | None = None,
        report: int | None = None,
    ) -> list[Score]:
        """List scores, newest first; `model` is a digest, `report` a node id."""
        tail, parameters = where(model=model, metric=metric, step=step, report=report, order="id DESC")
        return [SCORES.load(row) for row in self.database.query(SCORES.select(tail), parameters)]

    def judge(self, judgement: Judgement) -> Judgement:
        """Store a verdict on a digest; one that says what the newest of its kind and author says is that one."""
        from mlm_registry.records.decisions import JUDGEMENTS

        judged = evolve(judgement, at=judgement.at or time.time(), id=0)
        newest, parameters = where(subject=judged.subject, kind=judged.kind, by=judged.by, order="id DESC", limit=1)
        with self.database.transaction() as connection:
            for row in connection.execute(JUDGEMENTS.select(newest), parameters):
                stands = JUDGEMENTS.load(row)
                if JUDGEMENTS.row(evolve(stands, at=judged.at, id=0)) == JUDGEMENTS.row(judged):
                    return stands
            judged = evolve(judged, id=JUDGEMENTS.insert(connection, judged))
            seal(connection, "judgements", judged.id)
        return judged

    def judgements(
        self,
        *,
        subject: str | None = None,
        kind: str | None = None,
        requirements: str | None = None,
        latest: bool = False,
    ) -> list[Judgement]:
        """List judgements, newest first; `latest` keeps the newest of each (subject, kind, by)."""
        from mlm_registry.records.decisions import JUDGEMENTS

        tail, parameters = where(subject=subject, kind=kind, requirements=requirements)
        if latest:
            tail = f'WHERE id IN (SELECT max(id) FROM judgements {tail} GROUP BY subject, kind, "by")'
        rows = self.database.query(JUDGEMENTS.select(f"{tail} ORDER BY id DESC"), parameters)
        return [JUDGEMENTS.load(row) for row in rows]

    def record_signals(self, rows: Sequence[SignalRow]) -> None:
        """Store what monitors measured, in one transaction.

        A curve of a deployment, metric and node keeps its newest point, and of the others one each APART_SECONDS.
        Signals are not sealed: exchanges are, which they are measured on again.
        """
        from mlm_registry.records.traffic import SIGNALS

        now = time.time()
        with self.database.transaction() as connection:
            for row in rows:
                curve = (row.deployment, row.metric, row.node)
                newest = connection.execute(_NEWEST_TWO, curve).fetchall()
                if len(newest) == 2 and newest[0][1] - newest[1][1] < APART_SECONDS:
                    connection.execute("DELETE FROM signals WHERE id = ?", newest[0][:1])
                SIGNALS.insert(connection, evolve(row, at=row.at or now, id=0))

    def signals(
        self,
        *,
        deployment: str | None = None,
        metric: str | None = None,
        node: int | None = None,
        limit: int | None = None,
    ) -> list[SignalRow]:
        """List signals, newest first."""
        from mlm_registry.records.traffic import SIGNALS

        tail, parameters = where(deployment=deployment, metric=metric, node=node, order="id DESC", limit=limit)
        return [SIGNALS.load(row) for row in self.database.query(SIGNALS.select(tail), parameters)]
