"""The audit log: an append-only chain of digests, so that a touched row gives itself away.

Each row's digest covers the row and the digest before it; the head, in a table of its own, tells how long the chain is
and where it ends. Whoever can rewrite the whole file can forge the whole chain: publish the head's digest elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen
from blake3 import blake3

from mlm_registry.database import Database
from mlm_registry.records.events import EVENTS, Event
from mlm_registry.rows import canonical, where
from mlm_registry.seals import chain_end

_HEAD = "INSERT INTO audit_head (only, rows, digest) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET rows = ?, digest = ?"
_AT = 5
_ROWS = 'SELECT id, action, subject, "by", detail, at, digest, seal FROM events ORDER BY id'
_LENGTH = "SELECT count(*), max(id) FROM events"
_PAIR = (
    'SELECT e.id, e.action, e.subject, e."by", e.detail, e.at, e.digest, e.seal, before.digest'
    " FROM events AS e LEFT JOIN events AS before ON before.id = e.id - 1"
)
# The words of the partial index `events_decisions`: there are many admissions, and they decide nothing.
_DECIDED = f"{_PAIR} WHERE e.action NOT IN ('admitted', 'admission-refused') UNION ALL {_PAIR} WHERE e.id = ?"


@frozen
class AuditCheck:
    """The result of walking the chain: how many rows stand, and the first that does not."""

    ok: bool
    rows: int
    first_bad: int | None = None
    reason: str = ""
    set_back: tuple[int, ...] = ()
    """Rows that say that they were written before the row before: the clock went back."""


class Audit:
    """Who did what to which subject, and when; rows hold ids, never content.

    `beside` is called in each transaction that adds a row, before the row.
    """

    def __init__(self, database: Database, beside: Callable[[], None]) -> None:
        self._database = database
        self._beside = beside

    def append(self, action: str, subject: str, *, by: str, detail: Mapping[str, Any] | None = None) -> Event:
        """Add a row to the chain, durably; inside a transaction it stands or falls with it."""
        with self._database.transaction(durable=True) as connection:
            self._beside()
            rows, before = self._head() or (0, "")
            event = Event(
                action=action, subject=subject, by=by, detail=detail or {}, at=time.time(), id=rows + 1,
                seal=chain_end(connection).hex(),
            )  # fmt: skip
            row = (event.id, action, subject, by, canonical(event.detail), event.at)
            event = evolve(event, digest=_chained(before, row, event.seal))
            EVENTS.insert(connection, event)
            connection.execute(_HEAD, (event.id, event.digest, event.id, event.digest))
        return event

    def events(self, limit: int | None = None, subject: str | None = None) -> list[Event]:
        """List events, newest first."""
        tail, parameters = where(subject=subject, order="id DESC", limit=limit)
        return [EVENTS.load(row) for row in self._database.query(EVENTS.select(tail), parameters)]

    def verify(self) -> AuditCheck:
        """Walk the chain and name the first row that was edited, deleted or moved."""
        # All from one snapshot, or a row appended meanwhile would look like a forgery.
        with self._database.inspecting():
            rows, head = self._database.query(_ROWS), self._head()
            seals = {row[0] for row in self._database.query("SELECT lower(hex(chain)) FROM seals")}
        before = ""
        for expected, (*row, digest, seal) in enumerate(rows, start=1):
            if row[0] != expected:
                return AuditCheck(False, expected - 1, expected, f"row {expected} is missing")
            if digest != _chained(before, row, seal):
                return AuditCheck(False, expected - 1, expected, f"row {expected} does not match its digest")
            if seal and seal not in seals:
                return AuditCheck(False, expected - 1, expected, f"the seals that row {expected} saw are gone")
            before = digest
        times = [row[_AT] for row in rows]
        back = tuple(row[0] for row, earlier in zip(rows[1:], times, strict=False) if row[_AT] < earlier)
        return evolve(_ending(len(rows), before, head), set_back=back)

    def touched(self) -> str:
        """Say what is wrong with the length of the log, its end or its decisions; nothing where all are as written.

        It is what a decision can afford: rows that only say who was admitted are counted, and not digested.
        """
        with self._database.inspecting():
            [(rows, last)], head = self._database.query(_LENGTH), self._head() or (0, "")
            decided = self._database.query(_DECIDED, [last])
        if (rows, last or 0) != (head[0], head[0]):
            return f"rows of the audit log were {'deleted' if rows < head[0] else 'added'} ({rows}, not {head[0]})"
        for *row, digest, seal, before in decided:
            if digest != _chained(before or "", row, seal) or (row[0] == last and digest != head[1]):
                return f"row {row[0]} of the audit log was edited"
        return ""

    def _head(self) -> tuple[int, str] | None:
        found = self._database.query("SELECT rows, digest FROM audit_head")
        return (found[0][0], found[0][1]) if found else None


def _ending(rows: int, digest: str, head: tuple[int, str] | None) -> AuditCheck:
    """Compare where the chain ends with where the head says it does."""
    if head is None:
        return AuditCheck(True, 0) if not rows else AuditCheck(False, rows, rows, "the head of the chain is missing")
    if rows < head[0]:
        return AuditCheck(False, rows, rows + 1, f"rows {rows + 1} to {head[0]} are missing from the end")
    if rows > head[0]:
        return AuditCheck(False, head[0], head[0] + 1, f"row {head[0] + 1} was added beside the chain")
    if digest != head[1]:
        return AuditCheck(False, max(rows - 1, 0), rows or None, f"row {rows} does not match the head of the chain")
    return AuditCheck(True, rows)


def _chained(before: str, row: Any, seal: Any) -> str:
    """Digest a row as it is stored, together with the digest before it and the end of the chain of seals."""
    # A forger may store any type in any column, so what is no JSON is written as Python shows it.
    text = canonical([value if isinstance(value, (int, float, str)) else repr(value) for value in row])
    # Rows from before there were seals name none.
    text += f"\n{seal}" if seal != "" else ""
    return blake3(f"{before}\n{text}".encode()).hexdigest()
