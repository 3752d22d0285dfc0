"""Model versions: their states, their aliases, and who approved what.

Nothing is overwritten without a trace: states, aliases and approvals keep every move, and each is an audit row.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import evolve

from mlm_registry.audit import Audit
from mlm_registry.database import Database
from mlm_registry.errors import NotFound
from mlm_registry.records.decisions import ALIASES, APPROVALS, Alias, Approval, ModelVersion, VersionState
from mlm_registry.records.runs import NODES, Node
from mlm_registry.rows import where
from mlm_registry.seals import seal

if TYPE_CHECKING:
    from mlm_registry.finding import Finding

_VERSIONS = (
    "SELECT model_versions.state, EXISTS (SELECT 1 FROM recalled_nodes WHERE node = nodes.id),"
    f" {NODES.columns} FROM model_versions JOIN nodes ON nodes.id = model_versions.node"
)
_CHANGE = 'INSERT INTO version_changes (node, change, "by", reason, at) VALUES (?, ?, ?, ?, ?)'


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

    def versions_of(self, node_ids: Iterable[int]) -> list[ModelVersion]:
        """List those of the nodes that are models, oldest first, in one query."""
        sql = f"{_VERSIONS} WHERE nodes.id IN (SELECT value FROM json_each(?)) ORDER BY nodes.id"
        return [_load(row) for row in self._database.query(sql, [json.dumps(list(node_ids))])]

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
            seal(connection, "model_versions", node_id)
            change = connection.execute(_CHANGE, (node_id, state, by, reason, time.time())).lastrowid
            seal(connection, "version_changes", change)
            detail = {"to": state, "reason": reason, "node": node_id, "from": version.state}
            self._audit.append("model.state", version.node.ref, by=by, detail=detail)
        return evolve(version, state=state)

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
            seal(connection, "aliases", alias.id)
            detail = {"from": before.node if before else None, "to": node_id, "ref": version.node.ref, "reason": reason}
            self._audit.append("alias.move", name, by=by, detail=detail)
        return alias

    def approve(self, subject: str, action: str, *, by: str, reason: str) -> Approval:
        """Store that somebody said yes."""
        with self._database.transaction(durable=True) as connection:
            approval = Approval(subject=subject, action=action, by=by, reason=reason, at=time.time())
            approval = evolve(approval, id=APPROVALS.insert(connection, approval))
            seal(connection, "approvals", approval.id)
            self._audit.append("approve", subject, by=by, detail={"action": action, "reason": reason})
        return approval

    def approvals(self, subject: str | None = None, action: str | None = None) -> list[Approval]:
        """List approvals, newest first."""
        tail, parameters = where(subject=subject, action=action, order="id DESC")
        return [APPROVALS.load(row) for row in self._database.query(APPROVALS.select(tail), parameters)]


def _load(row: tuple[Any, ...]) -> ModelVersion:
    state, recalled, *node = row
    return ModelVersion(node=NODES.load(node), state=state, recalled=bool(recalled))
