"""The whole database as one file, named by what it holds: equal rows give equal snapshots."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from blake3 import blake3

from mlm_registry.database import Database

_HEADER_BYTES = 100
"""SQLite's header counts how often a file was changed: that is no content."""


def snapshot(database: Database, file: Path) -> str:
    """Write all rows, as they are at one moment, into a new file, and return its state."""
    with database.reading() as connection:
        connection.execute("VACUUM INTO ?", (str(file),))
    return state_of(file)


def state_of(file: Path) -> str:
    """Digest what a snapshot holds."""
    return blake3(file.read_bytes()[_HEADER_BYTES:]).hexdigest()


def restore(database: Database, file: Path) -> None:
    """Put a snapshot in the place of all rows, in one transaction; others that have the database open see it then.

    Args:
        database: What is overwritten.
        file: A snapshot that was opened as a registry, and verified.
    """
    source = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        with database.reading() as connection:
            source.backup(connection)
    finally:
        source.close()
    database.prepare()
