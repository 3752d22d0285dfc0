"""Recalls: nodes that must not be used any more, nor anything that came from them.

Only the nodes that were named are flagged. That what came from them is recalled with them is read from the graph at
each question, so undoing a recall restores exactly what was, and a sibling with equal bytes is never touched.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from mlm_registry.audit import Audit
from mlm_registry.database import Database
from mlm_registry.errors import NotFound, RegistryError
from mlm_registry.records.withdrawals import RECALLS, Recall
from mlm_registry.seals import seal

if TYPE_CHECKING:
    from mlm_registry.finding import Finding


class Recalls:
    """Which nodes are recalled, why, and what moved because of it."""

    def __init__(self, database: Database, audit: Audit, find: Finding) -> None:
        self._database = database
        self._audit = audit
        self._find = find

    def add(
        self, subject: str, nodes: Sequence[int], *, by: str, reason: str, moves: Sequence[Mapping[str, Any]] = ()
    ) -> Recall:
        """Flag nodes, models or datasets, as recalled."""
        if not nodes:
            raise RegistryError(f"a recall of {subject!r} names no node; expected at least one")
        recall = Recall(subject, tuple(nodes), by, reason, tuple(moves), time.time())
        with self._database.transaction(durable=True) as connection:
            refs = [self._find.node(node).ref for node in recall.nodes]
            recall = evolve(recall, id=RECALLS.insert(connection, recall))
            connection.executemany(
                "INSERT INTO recalled_nodes (node, recall) VALUES (?, ?)", [(node, recall.id) for node in nodes]
            )
            self._seal(connection, recall)
            detail = {"recall": recall.id, "nodes": refs, "reason": reason, "moves": recall.moves}
            self._audit.append("recall", subject, by=by, detail=detail)
        return recall

    def undo(self, recall_id: int, *, by: str, reason: str) -> Recall:
        """Take the flags of one recall away again; its row stays."""
        with self._database.transaction(durable=True) as connection:
            recall = self.get(recall_id)
            if recall.undone is not None:
                raise RegistryError(f"recall {recall_id} of {recall.subject!r} is undone already")
            recall = evolve(recall, undone=time.time())
            connection.execute("UPDATE recalls SET undone = ? WHERE id = ?", (recall.undone, recall_id))
            connection.execute("DELETE FROM recalled_nodes WHERE recall = ?", (recall_id,))
            self._seal(connection, recall)
            detail = {"recall": recall_id, "reason": reason}
            self._audit.append("recall.undo", recall.subject, by=by, detail=detail)
        return recall

    @staticmethod
    def _seal(connection: sqlite3.Connection, recall: Recall) -> None:
        seal(connection, "recalls", recall.id)
        for node in recall.nodes:
            seal(connection, "recalled_nodes", node, recall.id)

    def get(self, recall_id: int) -> Recall:
        """Find one recall."""
        found = self._select("WHERE id = ?", recall_id)
        if not found:
            raise NotFound(f"no recall has id {recall_id}")
        return found[0]

    def standing(self, *, include_undone: bool = False) -> list[Recall]:
        """List the recalls in force, newest first."""
        return self._select("ORDER BY id DESC" if include_undone else "WHERE undone IS NULL ORDER BY id DESC")

    def recalled(self, node_ids: Iterable[int]) -> set[int]:
        """Return those of the nodes that are themselves recalled, whatever their kind."""
        flagged = {row[0] for row in self._database.query("SELECT DISTINCT node FROM recalled_nodes")}
        return flagged.intersection(node_ids)

    def _select(self, tail: str, *parameters: int) -> list[Recall]:
        return [RECALLS.load(row) for row in self._database.query(RECALLS.select(tail), parameters)]
