"""Seals: digests of rows, so that a row edited, added or deleted behind the registry's back gives itself away.

When an execution ends, one seal covers its row and all that it recorded. Every other row has a seal of its own, renewed
by each change; the newest one counts. Seals form a chain, and each audit row names its end, so the digest of the audit
log's last row stands for every row of the registry. A migration that changes a sealed table must seal it again.
"""

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from struct import pack
from typing import Any
from zlib import crc32

from attrs import frozen
from blake3 import blake3

from mlm_registry.rows import canonical

Row = tuple[Any, ...]
Rows = Mapping[str, Sequence[Row]]
EXECUTIONS = "executions"
NAMES: Mapping[str, str] = {
    EXECUTIONS: "id", "nodes": "id", "edges": "source, target, role, split", "plugin_uses": "execution, position",
    "metrics": "execution, name, step", "scores": "scores.id",
}  # fmt: skip
"""What an execution's seal covers, in its order, and the columns that name a row."""
_COLUMNS: Mapping[str, str] = {"edges": "edges.*", "scores": "scores.*"}
_ROWS: Mapping[str, str] = {
    EXECUTIONS: "executions WHERE id = ?",
    "nodes": "nodes WHERE execution = ? ORDER BY id",
    "edges": "nodes JOIN edges ON target = nodes.id WHERE execution = ? ORDER BY target, source, role, split",
    "plugin_uses": "plugin_uses WHERE execution = ? ORDER BY position",
    "metrics": "metrics WHERE execution = ? ORDER BY name, step",
    "scores": "nodes JOIN scores ON report = nodes.id WHERE execution = ? ORDER BY scores.id",
}
_RECORDED = {table: f"SELECT {_COLUMNS.get(table, '*')} FROM {_ROWS[table]}" for table in NAMES}
KEYS: Mapping[str, Sequence[str]] = {
    "model_versions": ["node"], "version_changes": ["id"], "aliases": ["id"], "approvals": ["id"], "recalls": ["id"],
    "recalled_nodes": ["node", "recall"], "deployments": ["name", "revision"], "proposals": ["id"],
    "amendments": ["id"], "erasures": ["id"], "tombstones": ["node"], "judgements": ["id"], "exchange_heads": ["id"],
}  # fmt: skip
"""The registry's tables whose rows are sealed one by one, and the columns of their keys."""
EXCHANGE_KEYS: Mapping[str, Sequence[str]] = {"exchanges": ["id"], "feedback": ["id"]}
"""The same of the file of exchanges."""

_ADD = 'INSERT INTO seals ("table", "key", digest, checks, chain) VALUES (?, ?, ?, ?, ?)'
_MARSHAL = 2
"""This version of the format knows neither references nor interned strings, so equal values have equal bytes."""
_END = "SELECT chain FROM seals ORDER BY id DESC LIMIT 1"


@frozen
class Sealed:
    """What one execution recorded: its rows, a digest of them all, and a check of four bytes a row to find one by."""

    rows: Rows
    digest: bytes
    checks: bytes


def seal(connection: sqlite3.Connection, table: str, *key: Any) -> None:
    """Seal a row as it stands now, or that it is gone."""
    columns = (*KEYS.get(table, ()), *EXCHANGE_KEYS.get(table, ()))
    chosen = " AND ".join(f'"{column}" = ?' for column in columns)
    row = connection.execute(f"SELECT * FROM {table} WHERE {chosen}", key).fetchone()
    _append(connection, table, canonical(key), row and row_digest(row), None)


def seal_execution(connection: sqlite3.Connection, execution: int, known: Rows | None = None) -> None:
    """Seal an execution with all that it recorded; `known` are rows that SQLite keeps as they are."""
    sealed = recorded(connection, execution, known)
    _append(connection, EXECUTIONS, canonical([execution]), sealed.digest, sealed.checks)


def recorded(connection: sqlite3.Connection, execution: int, known: Rows | None = None) -> Sealed:
    """Read what an execution recorded, as its seal covers it; `known` rows are not read again."""
    rows = dict(known or {})
    for table, sql in _RECORDED.items():
        if table not in rows:
            rows[table] = connection.execute(sql, (execution,)).fetchall()
    rows = {table: rows[table] for table in NAMES}
    texts = [marshal.dumps(row, _MARSHAL) for some in rows.values() for row in some]
    checks = pack(f"<{len(rows) + len(texts)}I", *map(len, rows.values()), *map(crc32, texts))
    return Sealed(rows, blake3(checks + b"".join(texts)).digest(), checks)


def names(connection: sqlite3.Connection, table: str, execution: int) -> list[Row]:
    """Name the rows of a table that an execution recorded, in the order of its seal."""
    return connection.execute(f"SELECT {NAMES[table]} FROM {_ROWS[table]}", (execution,)).fetchall()


def seal_all(connection: sqlite3.Connection, keys: Mapping[str, Sequence[str]]) -> None:
    """Seal every row of a database that has no seals yet; later migrations may add tables."""
    present = tables(connection)
    if EXECUTIONS in present:
        for (execution,) in connection.execute("SELECT id FROM executions WHERE status IS NOT 'running' ORDER BY id"):
            seal_execution(connection, execution)
    for table, columns in [(table, columns) for table, columns in keys.items() if table in present]:
        for key, _ in keyed_rows(connection, table, columns):
            seal(connection, table, *key)


def tables(connection: sqlite3.Connection) -> set[str]:
    """Return the names of a database's tables."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def keyed_rows(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> Iterator[tuple[Row, Row]]:
    """Yield (key, row) of a table."""
    names = ", ".join(f'"{column}"' for column in columns)
    for row in connection.execute(f"SELECT {names}, * FROM {table}"):
        yield row[: len(columns)], row[len(columns) :]


def row_digest(values: Any) -> bytes:
    """Digest values that SQLite gave (32 bytes)."""
    return blake3(packed(values)).digest()


def chain_end(connection: sqlite3.Connection) -> bytes:
    """Return the end of the chain of seals; empty where there are none."""
    found = connection.execute(_END).fetchone()
    return found[0] if found else b""


def chained(before: bytes, table: str, key: str, digest: bytes | None, checks: bytes | None) -> bytes:
    """Digest a seal together with the end of the chain before it."""
    return row_digest((before, table, key, digest, checks))


def _append(connection: sqlite3.Connection, table: str, key: str, digest: bytes | None, checks: bytes | None) -> None:
    chain = chained(chain_end(connection), table, key, digest, checks)
    connection.execute(_ADD, (table, key, digest, checks, chain))


def packed(values: Any) -> bytes:
    """Write values that SQLite gave, to be digested and never to be read."""
    return marshal.dumps(values, _MARSHAL)
