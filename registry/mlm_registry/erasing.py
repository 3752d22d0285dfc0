"""What was erased: tombstones stand where nodes lost their bytes, so that lineage and the audit chain stay whole."""

from __future__ import annotations

import time
from collections.abc import Mapping

from attrs import evolve

from mlm_registry.audit import Audit
from mlm_registry.database import Database
from mlm_registry.records.withdrawals import ERASURES, TOMBSTONES, Erasure, Tombstone
from mlm_registry.seals import seal

ERASED = "erased"
"""The role in which a dataset that was erased went into the one that stands in its place."""


class Erasures:
    """Who was erased (by keyed digest), when and why, and which nodes it buried."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def bury(self, erasure: Erasure, nodes: Mapping[int, int]) -> Erasure:
        """Record an erasure, and put a tombstone on each node: its replacement's id, or 0."""
        made = evolve(erasure, at=erasure.at or time.time(), id=0)
        with self._database.transaction(durable=True) as connection:
            made = evolve(made, id=ERASURES.insert(connection, made))
            seal(connection, "erasures", made.id)
            stones = [Tombstone(node, made.id, replacement, made.at) for node, replacement in nodes.items()]
            TOMBSTONES.insert_all(connection, stones)
            for node in nodes:
                seal(connection, "tombstones", node)
            detail = {"erasure": made.id, "certificate": made.certificate, "nodes": sorted(nodes), **made.counts}
            self._audit.append("erase", f"erasure {made.id}", by=made.by, detail=detail)
        return made

    def all(self) -> list[Erasure]:
        """List erasures, oldest first."""
        return [ERASURES.load(row) for row in self._database.query(ERASURES.select("ORDER BY id"))]

    def buried(self) -> dict[int, Tombstone]:
        """Return the tombstones by the id of their node."""
        stones = [TOMBSTONES.load(row) for row in self._database.query(TOMBSTONES.select("ORDER BY node"))]
        return {stone.node: stone for stone in stones}

    def in_place_of(self, node: int) -> int:
        """Return the node that stands in a node's place: itself where it was not erased, 0 where nothing is left."""
        buried = self.buried()
        while node in buried:
            node = buried[node].replacement
        return node
