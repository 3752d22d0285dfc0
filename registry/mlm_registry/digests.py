"""BLAKE3 digests of files, remembered for as long as a file's stat stays the same."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3

# Below this, starting threads costs more than they save.
_THREADED_BYTES = 1 << 20
# A file changed this recently may change again without its times showing it (git calls such entries racy).
SETTLED_NS = 2_000_000_000

Signature = tuple[int, int, int, int]


def signature(stat: os.stat_result) -> Signature:
    """Take what changes with a file's content: inode, size, and both times in ns."""
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def hash_file(path: Path, size: int) -> str:
    """Digest a file's bytes without reading them into Python."""
    hasher = blake3(max_threads=blake3.AUTO if size >= _THREADED_BYTES else 1)
    return hasher.update_mmap(path).hexdigest()


class DigestCache:
    """A small file of digests by path; losing it costs time only, so it never raises for itself."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def digest(self, path: Path, stat: os.stat_result) -> str:
        """Digest one file."""
        key = _key(path)
        return self._digests([(path, stat)], self._recall("path = ?", key))[0]

    def digests(self, root: Path, files: Iterable[tuple[Path, os.stat_result]]) -> list[str]:
        """Digest files below a folder, in their order, asking the cache once."""
        prefix = _key(root) + b"/"
        # '0' follows '/', so the range holds exactly what lies below the folder.
        return self._digests(files, self._recall("path >= ? AND path < ?", prefix, prefix[:-1] + b"0"))

    def _digests(
        self, files: Iterable[tuple[Path, os.stat_result]], known: dict[bytes, tuple[Signature, str]]
    ) -> list[str]:
        digests, fresh = [], []
        for path, stat in files:
            key = _key(path)
            old, digest = known.get(key, (None, ""))
            if old != signature(stat):
                digest = hash_file(path, stat.st_size)
                if _is_settled(path, stat):
                    fresh.append((key, *signature(stat), digest))
            digests.append(digest)
        if fresh:
            self._remember(fresh)
        return digests

    def _recall(self, condition: str, *parameters: bytes) -> dict[bytes, tuple[Signature, str]]:
        sql = f"SELECT path, inode, size, mtime_ns, ctime_ns, digest FROM files WHERE {condition}"
        with self._lock:
            try:
                rows = self._open().execute(sql, parameters).fetchall()
            except sqlite3.Error:
                return {}
        return {path: ((inode, size, mtime, ctime), digest) for path, inode, size, mtime, ctime, digest in rows}

    def _remember(self, rows: list[tuple[bytes, int, int, int, int, str]]) -> None:
        with self._lock:
            try:
                with self._open() as connection:
                    connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)
            except (sqlite3.Error, OverflowError):
                pass  # the next call hashes again

    def _open(self) -> sqlite3.Connection:
        # A connection must not cross a fork.
        if self._connection is None or self._process != os.getpid():
            self._process = os.getpid()
            try:
                self._connection = _connected(self._file)
            except sqlite3.Error:
                # A broken cache is moved out of the way by making a new one next time.
                self._file.unlink(missing_ok=True)
                self._connection = _connected(Path(":memory:"))
        return self._connection

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=1.0, check_same_thread=False)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, inode INTEGER, size INTEGER, mtime_ns INTEGER,"
            " ctime_ns INTEGER, digest TEXT) WITHOUT ROWID"
        )
    except BaseException:
        connection.close()
        raise
    return connection


def _key(path: Path) -> bytes:
    return os.fsencode(os.path.abspath(path))


def _is_settled(path: Path, before: os.stat_result) -> bool:
    """Say whether a later change of the file is sure to show in its stat."""
    after = path.stat()
    changed = max(after.st_mtime_ns, after.st_ctime_ns)
    return signature(after) == signature(before) and time.time_ns() - changed > SETTLED_NS
