"""One SQLite file: a connection for each thread, short write transactions, errors in plain words."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlm_registry.errors import Corrupt, NewerRegistry, RegistryError
from mlm_registry.schema import Migration, migrate

APPLICATION_ID = 0x6D6C6D72  # "mlmr": tells a registry from any other SQLite file
BUSY_SECONDS = 30.0
_ROOM_BYTES = 1 << 17
_LOG_PAGES = 4000  # pages of the write-ahead log (16 MB) before they are copied into the database: rarely pays
Parameters = Sequence[Any] | Mapping[str, Any]


class _Session:
    """A connection with the state of its transaction; belongs to one thread of one process."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.process = os.getpid()
        self.depth = 0
        self.owes_sync = False

    def __del__(self) -> None:
        # The thread has ended; a session of the parent process never comes here, see _INHERITED.
        self.connection.close()


# A child of a fork must not even close its parent's connections, so they are kept for ever.
_INHERITED: list[_Session] = []


class Database:
    """A SQLite file in WAL mode, opened once for each thread."""

    def __init__(self, path: Path, migrations: Sequence[Migration]) -> None:
        self.path = path
        self._migrations = migrations
        self._local = threading.local()
        self._sessions: weakref.WeakSet[_Session] = weakref.WeakSet()
        self._closed = False
        try:
            self.prepare()
            self._opened = _identity(path)
        except BaseException:
            self.close()
            raise

    def prepare(self) -> None:
        """Bring the file to the newest schema; it is done when a database is opened."""
        migrations = self._migrations
        try:
            connection = self.connection
            # One snapshot: another process may be creating this very file.
            connection.execute("BEGIN")
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            connection.execute("COMMIT")
            is_new = not version and not tables
            if application != APPLICATION_ID and not is_new:
                raise Corrupt(f"{self.path} is a SQLite file but no mlm registry; move it away and run again")
            if version > len(migrations):
                raise NewerRegistry(
                    f"{self.path} has schema {version}, this mlm knows up to {len(migrations)}; upgrade mlm"
                )
            if version < len(migrations):
                _start_wal(connection)
                migrate(connection, migrations, APPLICATION_ID)
        except sqlite3.Error as error:
            raise explained(error, self.path) from error

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of this thread; open it on first use."""
        return self._session().connection

    def _session(self) -> _Session:
        session: _Session | None = getattr(self._local, "session", None)
        # A connection must not cross a fork: two processes would share its locks.
        if session is not None and session.process != os.getpid():
            _INHERITED.append(session)
            session = None
        if session is None:
            session = self._local.session = _Session(self._connect())
            self._sessions.add(session)
        return session

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise RegistryError(f"{self.path} is closed")
        try:
            # Used by one thread; the check is off so that close() may be called from another.
            connection = sqlite3.connect(
                _uri(self.path), timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False,
                cached_statements=256, uri=True,
            )  # fmt: skip
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        except sqlite3.Error as error:
            connection.close()
            raise explained(error, self.path) from error
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection of this thread for queries."""
        try:
            yield self.connection
        except sqlite3.Error as error:
            raise explained(error, self.path) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let several queries see the database at one moment."""
        with self.reading() as connection:
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("COMMIT")

    @contextmanager
    def inspecting(self) -> Iterator[sqlite3.Connection]:
        """Lend a snapshot of rows that anybody may have written: text that is no UTF-8 is read instead of refused."""
        with self.snapshot(), self.reading() as connection:
            connection.text_factory = lambda text: text.decode(errors="backslashreplace")
            try:
                yield connection
            finally:
                connection.text_factory = str

    def query(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Read all rows of a query."""
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Write under one transaction; an inner one joins the outer and undoes only its own part.

        Args:
            durable: Return only when the change is on the disk, not merely in the write-ahead log's cache.
        """
        session = self._session()
        opening = self._joined(session, durable) if session.depth else self._outermost(session, durable)
        try:
            with opening:
                yield session.connection
        except sqlite3.Error as error:
            raise explained(error, self.path) from error

    @contextmanager
    def _outermost(self, session: _Session, durable: bool) -> Iterator[None]:
        connection = session.connection
        if durable:
            connection.execute("PRAGMA synchronous = FULL")
        try:
            connection.execute("BEGIN IMMEDIATE")
            session.depth = 1
            yield
            connection.execute("COMMIT")
            if session.owes_sync:
                # The checkpoint writes the log to the disk first: synchronous cannot change inside a transaction.
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            session.depth, session.owes_sync = 0, False
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if durable:
                connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _joined(self, session: _Session, durable: bool) -> Iterator[None]:
        connection = session.connection
        if durable and connection.execute("PRAGMA synchronous").fetchone() != (2,):
            session.owes_sync = True
        name = f"inner{session.depth}"
        connection.execute(f"SAVEPOINT {name}")
        session.depth += 1
        try:
            yield
        except BaseException:
            # A full disk may already have ended the whole transaction.
            if connection.in_transaction:
                connection.execute(f"ROLLBACK TO {name}")
            raise
        finally:
            session.depth -= 1
            if connection.in_transaction:
                connection.execute(f"RELEASE {name}")

    def empty_log(self) -> None:
        """Empty the write-ahead log, which holds old pages, once nobody reads them.

        Raises:
            RegistryError: Somebody did all the while.
        """
        [(busy, _, _)] = self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise RegistryError(
                f"{self.path}-wal still holds what was deleted: another process read it for {BUSY_SECONDS:g} seconds;"
                " end it and try again"
            )

    def refuse_if_moved(self) -> None:
        """Raise RegistryError where the file was moved or deleted since it was opened: what is written is lost."""
        try:
            still = _identity(self.path) == self._opened
        except OSError:
            still = False
        if not still:
            raise RegistryError(f"{self.path} was moved or deleted while it was in use: put it back, or start again")

    def version(self) -> int:
        """Return a number that changes when anybody else has written (PRAGMA data_version)."""
        return int(self.query("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the connections of all threads."""
        self._closed = True
        for session in list(self._sessions):
            if session.process == os.getpid():
                session.connection.close()


def _uri(path: Path) -> str:
    """Return how a file is opened: as one that nobody changes where neither it nor a log beside it can be written."""
    uri = path.absolute().as_uri()
    log = path.with_name(f"{path.name}-wal")
    is_kept = path.exists() and not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)
    return f"{uri}?immutable=1" if is_kept else uri


def _start_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL, waiting for another process that does the same (SQLite itself does not wait here)."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _identity(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return seen.st_dev, seen.st_ino


def explained(error: sqlite3.Error, path: Path) -> RegistryError:
    """Say in one line what SQLite's error means and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    kind = code & 0xFF if code is not None else None
    if kind in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Corrupt(f"{path} is not a readable registry ({error}); restore a backup, or move it away and run again")
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RegistryError(f"{path} is busy: another process held it for {BUSY_SECONDS:g} seconds; try again")
    if kind == sqlite3.SQLITE_FULL or (kind == sqlite3.SQLITE_IOERR and _is_full(path)):
        return RegistryError(f"no space left for {path}, nothing was recorded; free some space and run again")
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return RegistryError(f"{path} cannot be written ({error}); check its folder's permissions")
    return RegistryError(f"{path}: {error}")


def _is_full(path: Path) -> bool:
    """Say whether its disk has no room: SQLite calls a shared-memory file that cannot grow an I/O error."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _ROOM_BYTES
