"""How far a registry's history goes, and taking over a longer one.

Every row is sealed in a chain, and every decision is in the audit log, which is a chain too. So two numbers and two
digests stand for all that was recorded, and a history that goes through them has all of it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from attrs import frozen

from mlm_registry.database import Database
from mlm_registry.errors import RegistryError
from mlm_registry.seals import tables

_OWN = frozenset({"observations", "exchanges_elsewhere"})
"""What an endpoint of this place says of itself, and whose exchanges are not here: no history."""


@frozen
class Head:
    """The end of a history: of its seals, and of its audit log; zeros and nothing where nothing was recorded."""

    seals: int = 0
    chain: str = ""
    events: int = 0
    digest: str = ""


def head(connection: sqlite3.Connection) -> Head:
    """Return where the history of a database ends."""
    seals = connection.execute("SELECT id, lower(hex(chain)) FROM seals ORDER BY id DESC LIMIT 1").fetchone()
    events = connection.execute("SELECT id, digest FROM events ORDER BY id DESC LIMIT 1").fetchone()
    return Head(*(seals or (0, "")), *(events or (0, "")))


def goes_through(connection: sqlite3.Connection, past: Head) -> bool:
    """Say whether a history has all that was recorded up to a head."""
    seal = connection.execute("SELECT lower(hex(chain)) FROM seals WHERE id = ?", (past.seals,)).fetchone()
    event = connection.execute("SELECT digest FROM events WHERE id = ?", (past.events,)).fetchone()
    return (past.seals == 0 or seal == (past.chain,)) and (past.events == 0 or event == (past.digest,))


def snapshot(database: Database, file: Path) -> Head:
    """Write all rows, as they are at one moment, into a new file, and return where they end."""
    with database.reading() as connection:
        connection.execute("VACUUM INTO ?", (str(file),))
    copy = sqlite3.connect(file)
    try:
        return head(copy)
    finally:
        copy.close()


def take_over(database: Database, file: Path, expected: Head) -> None:
    """Put the rows of a snapshot in the place of all rows, in one transaction.

    Args:
        database: What is overwritten; others that have it open see the new rows from then on.
        file: A snapshot of the same schema, which was verified.
        expected: Where the history of the database ends, as the caller has seen it.

    Raises:
        RegistryError: Something was recorded since then; nothing is changed.
    """
    with database.reading() as connection:
        connection.execute("ATTACH ? AS taken", (str(file),))
    try:
        with database.transaction(durable=True) as connection:
            if head(connection) != expected:
                raise RegistryError(f"{database.path} was written to meanwhile; nothing was taken over, so do it again")
            # Rows are copied table by table, and name one another.
            connection.execute("PRAGMA defer_foreign_keys = ON")
            # SQLite only ever raises its count of the seals: taken away, it begins again with those that are copied.
            connection.execute("DELETE FROM main.sqlite_sequence")
            for table in sorted(tables(connection) - _OWN):
                if not table.startswith("sqlite_"):
                    names = ", ".join(f'"{row[1]}"' for row in connection.execute(f"PRAGMA table_info({table})"))
                    connection.execute(f"DELETE FROM main.{table}")
                    connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM taken.{table}")
    finally:
        with database.reading() as connection:
            connection.execute("DETACH taken")
