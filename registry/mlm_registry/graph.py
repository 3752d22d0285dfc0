"""Lineage: what a node came from, and what came from it.

An edge's source is always stored before its target, so ascending ids are a topological order.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from mlm_registry.adjacency import Adjacency
from mlm_registry.database import Database
from mlm_registry.records.runs import EDGES, Edge

_FEW = 4000
"""Closures up to this many nodes are asked of the database; from the second larger one on, edges are kept in memory."""
_REACH = (
    "WITH RECURSIVE reached(id) AS (SELECT value FROM json_each(:ids)"
    " UNION SELECT {to} FROM edges JOIN reached ON {frm} = id LIMIT :most) SELECT id FROM reached ORDER BY id"
)
_BOUNDED = (
    "WITH RECURSIVE reached(id) AS (VALUES (:start) UNION SELECT {to} FROM edges JOIN reached ON {frm} = id{bound})"
    " SELECT id FROM reached WHERE id != :start ORDER BY id"
)
_WITHIN = (
    "WITH RECURSIVE reached(id, hops) AS (VALUES (:start, 0)"
    " UNION SELECT {to}, hops + 1 FROM edges JOIN reached ON {frm} = id WHERE hops < :depth)"
    " SELECT DISTINCT id FROM reached WHERE id != :start ORDER BY id"
)
_AMONG = "IN (SELECT value FROM json_each(:ids))"


class Graph:
    """The edges between nodes, by integer id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._large: dict[str, Adjacency | None] = {}

    def upstream(self, node_id: int, depth: int | None = None) -> list[int]:
        """List what a node came from, itself left out, oldest first."""
        return self._from(node_id, depth, frm="target", to="source")

    def downstream(self, node_id: int, depth: int | None = None) -> list[int]:
        """List what came from a node, itself left out, oldest first."""
        return self._from(node_id, depth, frm="source", to="target")

    def reach(self, ids: Iterable[int]) -> list[int]:
        """List those nodes and everything that came from any of them, oldest first."""
        return self._closure(list(ids), frm="source", to="target")

    def _from(self, node_id: int, depth: int | None, frm: str, to: str) -> list[int]:
        if depth is not None:
            return self._ids(_WITHIN.format(frm=frm, to=to), {"start": node_id, "depth": depth})
        found = self._closure([node_id], frm, to)
        place = bisect_left(found, node_id)
        if found[place : place + 1] == [node_id]:
            del found[place]
        return found

    def _closure(self, starts: list[int], frm: str, to: str) -> list[int]:
        adjacency = self._large.get(to)
        if adjacency and (kept := adjacency.closure(starts)) is not None:
            return kept
        sql, ids = _REACH.format(frm=frm, to=to), json.dumps(starts)
        found = self._ids(sql, {"ids": ids, "most": _FEW + 1})
        if len(found) <= _FEW:
            return found
        if to not in self._large:
            self._large[to] = None
        else:
            adjacency = self._large[to] = adjacency or Adjacency(self._database, up=to == "source")
            if (kept := adjacency.closure(starts)) is not None:
                return kept
        return self._ids(sql, {"ids": ids, "most": -1})

    def between(self, a: int, b: int) -> list[int]:
        """List the nodes on any path between two nodes, both included; empty if there is no path."""
        first, last = sorted((a, b))
        if first == last:
            return [first]
        # Every node of a path lies between its ends, so each search stops at the other end.
        down = _BOUNDED.format(frm="source", to="target", bound=" WHERE target <= :end")
        up = _BOUNDED.format(frm="target", to="source", bound=" WHERE source >= :end")
        below = self._ids(down, {"start": first, "end": last})
        if not below or below[-1] != last:
            return []
        above = set(self._ids(up, {"start": last, "end": first}))
        return [first, *(node for node in below if node in above), last]

    def edges(self, ids: Iterable[int]) -> list[Edge]:
        """List the edges among those nodes."""
        # The plus keeps SQLite from trying every source with every target.
        tail = f"WHERE source {_AMONG} AND +target {_AMONG} ORDER BY source, target, position"
        rows = self._database.query(EDGES.select(tail), {"ids": json.dumps(list(ids))})
        return [EDGES.load(row) for row in rows]

    def _ids(self, sql: str, parameters: dict[str, Any]) -> list[int]:
        return [row[0] for row in self._database.query(sql, parameters)]
