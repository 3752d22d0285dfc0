"""What must not be used any more: recalls, erasures, and nodes without bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from mlm_registry.rows import Table, as_json, as_tuple


@frozen
class Recall:
    """Nodes that must not be used any more, with all that came from them, until the recall is undone.

    `subject` is what was asked for: a node's ref, a plugin version, a row. `moves` are the aliases and deployments that
    the recall drained, so that undoing it can bring them back.
    """

    subject: str
    nodes: tuple[int, ...]
    by: str
    reason: str
    moves: tuple[Mapping[str, Any], ...] = ()
    at: float = 0.0
    undone: float | None = None
    id: int = 0


@frozen
class Erasure:
    """A subject whose rows and exchanges were erased; `subject` is a keyed digest, never the name.

    `certificate` is the digest of the object that says what was erased and what could not be.
    """

    subject: str
    by: str
    reason: str
    certificate: str
    counts: Mapping[str, Any] = field(factory=dict)
    at: float = 0.0
    id: int = 0


@frozen
class Tombstone:
    """A node whose bytes were erased, and the node that stands in its place (0: none)."""

    node: int
    erasure: int
    replacement: int = 0
    at: float = 0.0


RECALLS = Table("recalls", Recall, nodes=as_tuple, moves=as_tuple)
ERASURES = Table("erasures", Erasure, counts=as_json)
TOMBSTONES = Table("tombstones", Tombstone)
