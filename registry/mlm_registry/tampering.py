"""Find the rows that somebody edited, added or deleted behind the registry's back, by their seals."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import unpack
from typing import Any
from zlib import crc32

from attrs import frozen

from mlm_registry.database import Database
from mlm_registry.rows import canonical
from mlm_registry.seals import (
    EXECUTIONS,
    NAMES,
    Sealed,
    chained,
    keyed_rows,
    names,
    packed,
    recorded,
    row_digest,
    tables,
)

_SEALS = 'SELECT id, "table", "key", digest, checks, chain FROM seals ORDER BY id'
_STRAYS: Mapping[str, str] = {
    "nodes": "execution NOT IN (SELECT id FROM executions)",
    "edges": "target NOT IN (SELECT id FROM nodes)",
    "plugin_uses": "execution NOT IN (SELECT id FROM executions)",
    "metrics": "execution NOT IN (SELECT id FROM executions)",
    "scores": "report NOT IN (SELECT id FROM nodes)",
}
_RUNNING = "SELECT 1 FROM executions WHERE id = ? AND status = 'running'"
_Newest = dict[tuple[str, str], tuple[bytes, bytes]]


@frozen
class Touched:
    """A row that is not as the registry wrote it: `table`, its key, and what was done to it."""

    table: str
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.key} {self.what}"


class Seals:
    """The seals of one database file."""

    def __init__(self, database: Database, keys: Mapping[str, Sequence[str]]) -> None:
        self._database = database
        self._keys = keys

    def touched(self, executions: Iterable[int] | None = None) -> list[Touched]:
        """List the rows that do not match their seals.

        Args:
            executions: Look at what these recorded, and at every decision; None looks at every row.
        """
        with self._database.inspecting() as connection:
            newest, found = _walked(connection)
            for table, columns in self._keys.items():
                found += _single(connection, table, columns, newest)
            if EXECUTIONS not in tables(connection):
                return found
            if executions is None:
                found += _everything(connection, newest)
            else:
                wanted = list(executions)
                found += [row for execution in wanted for row in _one(connection, execution, newest)]
        return found


def _walked(connection: sqlite3.Connection) -> tuple[_Newest, list[Touched]]:
    """Walk the chain of seals: the newest seal of each row, and the seals that are not as they were written."""
    newest: _Newest = {}
    found: list[Touched] = []
    before, last = b"", 0
    for id, table, key, digest, checks, chain in connection.execute(_SEALS):
        found += [Touched("seals", str(missing), "is missing") for missing in range(last + 1, id)]
        if id == last + 1 and chain != chained(before, table, key, digest, checks):
            found.append(Touched("seals", str(id), "was edited"))
        before, last = chain, id
        if digest is None:
            newest.pop((table, key), None)
        else:
            newest[table, key] = (digest, checks)
    counted = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'seals'").fetchone()
    if (counted[0] if counted else 0) != last:
        found.append(Touched("seals", str(last + 1), "is missing"))
    return newest, found


def _single(connection: sqlite3.Connection, table: str, columns: Sequence[str], newest: _Newest) -> Iterator[Touched]:
    """Compare the rows that are sealed one by one."""
    expected = {key: digest for (of, key), (digest, _) in newest.items() if of == table}
    for key, row in keyed_rows(connection, table, columns):
        text = _text(key)
        sealed = expected.pop(text, None)
        if sealed != row_digest(row):
            yield Touched(table, _shown(text), "was edited" if sealed else "was added")
    for text in expected:
        yield Touched(table, _shown(text), "is missing")


def _everything(connection: sqlite3.Connection, newest: _Newest) -> Iterator[Touched]:
    """Compare what every execution recorded."""
    ids = [id for (id,) in connection.execute("SELECT id FROM executions ORDER BY id")]
    for id in ids:
        yield from _one(connection, id, newest)
    known = {_text([id]) for id in ids}
    for of, key in newest:
        if of == EXECUTIONS and key not in known:
            yield Touched(EXECUTIONS, _shown(key), "is missing")
    for table, stray in _STRAYS.items():
        for row in connection.execute(f"SELECT {NAMES[table]} FROM {table} WHERE {stray}"):
            yield Touched(table, _listed(row), "belongs to nothing that was recorded")


def _one(connection: sqlite3.Connection, execution: int, newest: _Newest) -> Iterator[Touched]:
    """Compare what one execution recorded."""
    now = recorded(connection, execution)
    sealed = newest.get((EXECUTIONS, _text([execution])))
    if sealed is None:
        # One that runs has no seal yet, and nothing but points of its curves.
        running = {EXECUTIONS, "metrics"} if connection.execute(_RUNNING, (execution,)).fetchone() else set()
        for table in now.rows.keys() - running:
            yield from (Touched(table, _listed(row), "was added") for row in names(connection, table, execution))
    elif sealed[0] != now.digest:
        found = list(_differences(connection, execution, now, sealed[1]))
        yield from found or [Touched(EXECUTIONS, str(execution), "was edited, or something that it recorded")]


def _differences(connection: sqlite3.Connection, execution: int, now: Sealed, checks: bytes) -> Iterator[Touched]:
    """Find the rows by their checks: what is new beside what is lost counts as edited."""
    numbers = list(unpack(f"<{len(checks) // 4}I", checks))
    counts, rest = numbers[: len(NAMES)], numbers[len(NAMES) :]
    for (table, rows), count in zip(now.rows.items(), counts, strict=True):
        lost, rest = Counter(rest[:count]), rest[count:]
        new = []
        for name, row in zip(names(connection, table, execution), rows, strict=True):
            check = crc32(packed(row))
            if lost[check]:
                lost[check] -= 1
            else:
                new.append(name)
        edited = min(len(new), lost.total())
        for index, name in enumerate(new):
            yield Touched(table, _listed(name), "was edited" if index < edited else "was added")
        if missing := lost.total() - edited:
            yield Touched(table, f"recorded by execution {execution}", f"is missing ({missing} of {count})")


def _listed(key: Sequence[Any]) -> str:
    return ", ".join(str(part) for part in key)


def _text(key: Sequence[Any]) -> str:
    return canonical([part if isinstance(part, (int, float, str)) else repr(part) for part in key])


def _shown(text: str) -> str:
    """Write a key of JSON text as people do."""
    try:
        return _listed(json.loads(text))
    except (TypeError, ValueError):
        return str(text)
