"""The edges in memory, for closures that are too large to be asked of a database.

An edge's source is stored before its target, so ids are a topological order: one pass over them in that order marks all
that a closure holds, without a queue.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable
from itertools import compress, islice

from mlm_registry.database import Database

_NEWER = "SELECT source, target FROM edges WHERE target > ? AND target <= ?"
_NEWEST = "SELECT coalesce(max(id), 0) FROM nodes"
_NONE: list[int] = []
_FEW = 4000


class Adjacency:
    """The neighbours of every node in one direction; takes in what was added at each question."""

    def __init__(self, database: Database, *, up: bool) -> None:
        self._database = database
        self._up = up
        self._lock = threading.Lock()
        self._neighbours: list[list[int]] = [_NONE]
        """By node id; those without any share one empty list."""

    def closure(self, starts: Iterable[int]) -> list[int] | None:
        """List those nodes and all that is reached from them, oldest first.

        None inside a transaction that sees nodes which are not taken in yet: it may be undone, and they with it.
        """
        with self._lock, self._database.reading() as connection:
            newest = connection.execute(_NEWEST).fetchone()[0]
            if newest >= len(self._neighbours):
                if connection.in_transaction:
                    return None
                # A node comes with the edges that lead to it; others may have been stored since newest was read.
                self._take_in(newest, connection.execute(_NEWER, (len(self._neighbours) - 1, newest)))
            known = list({node for node in starts if 0 < node < len(self._neighbours)})
            found = self._searched(known)
            reached = list(self._marked(known) if found is None else found)
            # A snapshot may be older than what is known.
            del reached[bisect_right(reached, newest) :]
            return reached

    def _take_in(self, newest: int, edges: Iterable[tuple[int, int]]) -> None:
        """Add the edges of newer nodes; edges are never taken away."""
        neighbours = self._neighbours + [_NONE] * (newest + 1 - len(self._neighbours))
        for source, target in edges:
            node, other = (target, source) if self._up else (source, target)
            if neighbours[node] is _NONE:
                neighbours[node] = [other]
            else:
                neighbours[node].append(other)
        self._neighbours = neighbours

    def _searched(self, starts: list[int]) -> Iterable[int] | None:
        """Search from node to node; None where more than few are reached, for then one pass is faster."""
        neighbours, found, reached = self._neighbours, list(starts), set(starts)
        for node in found:
            if len(found) > _FEW:
                return None
            for other in neighbours[node]:
                if other not in reached:
                    reached.add(other)
                    found.append(other)
        return sorted(found)

    def _marked(self, starts: list[int]) -> Iterable[int]:
        """Pass over the nodes that may be reached, in their order, and mark each that is."""
        neighbours = self._neighbours
        marks = bytearray(max(starts) + 1 if self._up else len(neighbours))
        for node in starts:
            marks[node] = 1
        # Marks are read as they stand when the pass comes to them.
        passing = (
            zip(reversed(marks), reversed(neighbours[: len(marks)]), strict=True)
            if self._up
            else zip(islice(marks, min(starts), None), islice(neighbours, min(starts), None), strict=True)
        )
        for marked, others in passing:
            if marked:
                for other in others:
                    marks[other] = 1
        return compress(range(len(marks)), marks)
