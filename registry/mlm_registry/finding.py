"""Find nodes and executions again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from mlm_registry.database import Database
from mlm_registry.errors import NotFound
from mlm_registry.records.runs import (
    EXECUTIONS,
    NODES,
    PLUGIN_USES,
    Execution,
    ExecutionStatus,
    Node,
    NodeKind,
    PluginUse,
)
from mlm_registry.rows import where

_DIGEST = re.compile(r"[0-9a-f]{8,64}")


class Finding:
    """The part of the registry that answers which, when and from what."""

    database: Database

    def node(self, ref: str | int) -> Node:
        """Find one node: by id, `chat` (the latest), `chat@2`, or a digest (8 or more of its hex digits).

        A name goes before a digest; of several nodes with equal bytes the newest is meant.

        Raises:
            NotFound: Nothing matches, or a digest is too short to be the only one.
        """
        if isinstance(ref, int):
            found = self._nodes("WHERE id = ?", ref)
        else:
            found = self._by_name(ref) or self._by_digest(ref)
            if not found and ref.isdecimal():
                found = self._nodes("WHERE id = ?", int(ref))
        if not found:
            raise NotFound(self._missing(ref))
        return found[0]

    def _nodes(self, tail: str, *parameters: Any) -> list[Node]:
        return [NODES.load(row) for row in self.database.query(NODES.select(tail), parameters)]

    def _by_name(self, ref: str) -> list[Node]:
        name, at, version = ref.rpartition("@")
        if at and version.isdecimal():
            return self._nodes("WHERE name = ? AND version = ?", name, int(version))
        return self._nodes("WHERE name = ? ORDER BY version DESC LIMIT 1", ref)

    def _by_digest(self, ref: str) -> list[Node]:
        if not _DIGEST.fullmatch(ref):
            return []
        # 'g' sorts after every hex digit, so the range holds exactly the digests that start so.
        found = self._nodes("WHERE digest >= ? AND digest < ? ORDER BY id DESC", ref, ref + "g")
        digests = sorted({node.digest for node in found})
        if len(digests) > 1:
            raise NotFound(f"{ref!r} starts {len(digests)} digests ({', '.join(digests[:3])}); add digits")
        return found

    def _missing(self, ref: str | int) -> str:
        if isinstance(ref, int):
            return f"no node has id {ref}"
        name, _, version = ref.rpartition("@")
        newest = self.latest(name) if name else None
        if newest:
            return f"{name!r} has no version {version} (newest: {newest.ref})"
        from difflib import get_close_matches

        names = [row[0] for row in self.database.query("SELECT DISTINCT name FROM nodes ORDER BY name")]
        near = get_close_matches(name or ref, names, n=3)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        return f"no node is named {ref!r}{hint}"

    def nodes(self, *, kind: NodeKind | None = None, name: str | None = None, digest: str | None = None) -> list[Node]:
        """List nodes, newest first."""
        tail, parameters = where(kind=kind, name=name, digest=digest, order="id DESC")
        return self._nodes(tail, *parameters)

    def nodes_of(self, ids: Iterable[int]) -> list[Node]:
        """List the nodes with those ids, oldest first, in one query."""
        return self._nodes("WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", json.dumps(list(ids)))

    def latest(self, name: str) -> Node | None:
        """Return the newest version of a name."""
        found = self._nodes("WHERE name = ? ORDER BY version DESC LIMIT 1", name)
        return found[0] if found else None

    def execution(self, id: int) -> Execution:
        """Find one execution."""
        found = self._executions("WHERE id = ?", [id])
        if not found:
            raise NotFound(f"no execution has id {id}")
        return found[0]

    def executions(
        self,
        *,
        run: str | None = None,
        step: str | None = None,
        status: ExecutionStatus | None = None,
        limit: int | None = None,
    ) -> list[Execution]:
        """List executions, newest first."""
        return self._executions(*where(run=run, step=step, status=status, order="id DESC", limit=limit))

    def _executions(self, tail: str, parameters: Sequence[Any]) -> list[Execution]:
        return [EXECUTIONS.load(row) for row in self.database.query(EXECUTIONS.select(tail), parameters)]

    def stages(self, executions: Iterable[int]) -> dict[int, str]:
        """Return the stage of each of those executions."""
        sql = "SELECT id, stage FROM executions WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self.database.query(sql, [json.dumps(list(executions))]))

    def runs(self, limit: int | None = None) -> list[str]:
        """List runs, the one with the newest execution first."""
        tail, parameters = where(limit=limit)
        sql = f"SELECT run FROM executions GROUP BY run ORDER BY max(id) DESC {tail}"
        return [row[0] for row in self.database.query(sql, parameters)]

    def inputs(self, node: Node | int) -> list[tuple[str, Node, str]]:
        """List (role, node, split) of what went into a node, in the order in which the step was given them."""
        target = node if isinstance(node, int) else node.id
        columns = f"role, split, {NODES.columns}"
        sql = f"SELECT {columns} FROM edges JOIN nodes ON id = source WHERE target = ? ORDER BY position"
        return [(role, NODES.load(row), split) for role, split, *row in self.database.query(sql, [target])]

    def made_by(self, plugin: str, version: str = "") -> list[Node]:
        """List what a plugin made, as the step's own or in its chain: `mlm:trainers/sft`, or the short name `sft`."""
        which = (
            "(plugin = :plugin OR plugin LIKE '%/' || :plugin) AND (:version = '' OR distribution_version = :version)"
        )
        sql = NODES.select(
            f"WHERE execution IN (SELECT id FROM executions WHERE {which}"
            f" UNION SELECT execution FROM plugin_uses WHERE {which}) ORDER BY id"
        )
        rows = self.database.query(sql, {"plugin": plugin, "version": version})
        return [NODES.load(row) for row in rows]

    def plugin_uses(self, execution: int) -> list[PluginUse]:
        """List the further plugins of an execution, in their order."""
        rows = self.database.query(PLUGIN_USES.select("WHERE execution = ? ORDER BY position"), [execution])
        return [PLUGIN_USES.load(row) for row in rows]
