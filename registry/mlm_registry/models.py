"""Model versions: their states, their aliases, and who approved what.

Nothing is overwritten without a trace: states, aliases and approvals keep every move, and each is an audit row.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import evolve

from mlm_registry.audit import Audit
from mlm_registry.database import Database
from mlm_registry.errors import NotFound
from mlm_registry.records import Alias, Approval, ModelVersion, Node, VersionState
from mlm_registry.rows import ALIASES, APPROVALS, NODES, where

if TYPE_CHECKING:
    from mlm_registry.finding import Finding

_VERSIONS = (
    f"SELECT model_versions.state, recalls.node IS NOT NULL, {NODES.columns} FROM model_versions"
    " JOIN nodes ON nodes.id = model_versions.node LEFT JOIN recalls ON recalls.node = nodes.id"
)
_CHANGE = 'INSERT INTO version_changes (node, change, "by", reason, at) VALUES (?, ?, ?, ?, ?)'
_RECALL = 'INSERT OR REPLACE INTO recalls (node, "by", reason, at) VALUES (?, ?, ?, ?)'


class Models:
    """The governed face of model nodes."""

    def __init__(self, database: Database, audit: Audit, find: Finding) -> None:
        self._database = database
        self._audit = audit
        self._find = find

    def versions(self, name: str | None = None) -> list[ModelVersion]:
        """List model versions, newest first."""
        tail, parameters = where(name=name, order="nodes.id DESC")
        return [_load(row) for row in self._database.query(f"{_VERSIONS} {tail}", parameters)]

    def version(self, ref: str | int) -> ModelVersion:
        """Find one model version, by what `Registry.node` takes.

        Raises:
            NotFound: No such node, or it is no model.
        """
        return self._version(self._find.node(ref))

    def _version(self, node: Node) -> ModelVersion:
        found = self._database.query(f"{_VERSIONS} WHERE nodes.id = ?", [node.id])
        if not found:
            raise NotFound(f"{node.ref} is a {node.kind}, not a model")
        return _load(found[0])

    def set_state(self, node_id: int, state: VersionState, *, by: str, reason: str) -> ModelVersion:
        """Move a model version to another state."""
        with self._database.transaction(durable=True) as connection:
            version = self.version(node_id)
            connection.execute("UPDATE model_versions SET state = ? WHERE node = ?", (state, node_id))
            self._changed(connection, version.node, state, by, reason, {"from": version.state})
        return evolve(version, state=state)

    def recall(self, node_id: int, *, by: str, reason: str) -> Node:
        """Flag any node, a model or a dataset, as recalled."""
        with self._database.transaction(durable=True) as connection:
            node = self._find.node(node_id)
            connection.execute(_RECALL, (node_id, by, reason, time.time()))
            self._changed(connection, node, "recalled", by, reason)
        return node

    def undo_recall(self, node_id: int, *, by: str, reason: str) -> Node:
        """Take the flag away again."""
        with self._database.transaction(durable=True) as connection:
            node = self._find.node(node_id)
            connection.execute("DELETE FROM recalls WHERE node = ?", (node_id,))
            self._changed(connection, node, "recall undone", by, reason)
        return node

    def recalled(self, node_ids: Iterable[int]) -> set[int]:
        """Return those of the nodes that are recalled, whatever their kind."""
        flagged = {row[0] for row in self._database.query("SELECT node FROM recalls")}
        return flagged.intersection(node_ids)

    def _changed(
        self, connection: sqlite3.Connection, node: Node, change: str, by: str, reason: str, detail: Any = None
    ) -> None:
        connection.execute(_CHANGE, (node.id, change, by, reason, time.time()))
        detail = {"to": change, "reason": reason, "node": node.id, **(detail or {})}
        self._audit.append("model.state", node.ref, by=by, detail=detail)

    def alias(self, name: str) -> Alias | None:
        """Return where an alias points now."""
        moves = self._aliases("WHERE name = ? ORDER BY id DESC LIMIT 1", name)
        return moves[0] if moves else None

    def aliases(self) -> list[Alias]:
        """List where each alias points now, by name."""
        return self._aliases("WHERE id IN (SELECT max(id) FROM aliases GROUP BY name) ORDER BY name")

    def history(self, name: str) -> list[Alias]:
        """List every move of an alias, newest first."""
        return self._aliases("WHERE name = ? ORDER BY id DESC", name)

    def _aliases(self, tail: str, *parameters: str) -> list[Alias]:
        return [ALIASES.load(row) for row in self._database.query(ALIASES.select(tail), parameters)]

    def move_alias(self, name: str, node_id: int, *, by: str, reason: str) -> Alias:
        """Point an alias at a model version."""
        with self._database.transaction(durable=True) as connection:
            version, before = self.version(node_id), self.alias(name)
            alias = Alias(name=name, node=node_id, by=by, reason=reason, at=time.time())
            alias = evolve(alias, id=ALIASES.insert(connection, alias))
            detail = {"from": before.node if before else None, "to": node_id, "ref": version.node.ref, "reason": reason}
            self._audit.append("alias.move", name, by=by, detail=detail)
        return alias

    def approve(self, subject: str, action: str, *, by: str, reason: str) -> Approval:
        """Store that somebody said yes."""
        with self._database.transaction(durable=True) as connection:
            approval = Approval(subject=subject, action=action, by=by, reason=reason, at=time.time())
            approval = evolve(approval, id=APPROVALS.insert(connection, approval))
            self._audit.append("approve", subject, by=by, detail={"action": action, "reason": reason})
        return approval

    def approvals(self, subject: str | None = None, action: str | None = None) -> list[Approval]:
        """List approvals, newest first."""
        tail, parameters = where(subject=subject, action=action, order="id DESC")
        return [APPROVALS.load(row) for row in self._database.query(APPROVALS.select(tail), parameters)]


def _load(row: tuple[Any, ...]) -> ModelVersion:
    state, recalled, *node = row
    return ModelVersion(node=NODES.load(node), state=state, recalled=bool(recalled))
