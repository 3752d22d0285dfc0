"""BLAKE3 digests of files, remembered for as long as a file's stat stays the same."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path

from blake3 import blake3

from mlm_registry.looks import Look, Seen
from mlm_registry.trees import Found, read_small

# Below this, starting threads costs more than they save.
_THREADED_BYTES = 1 << 20
# Below this, reading costs less than mapping.
_MAPPED_BYTES = 1 << 16
# Pages that were read count as the process's memory for as long as they are mapped.
_WINDOW_BYTES = 1 << 26
# A file changed this recently may change again without its times showing it (git calls such entries racy).
SETTLED_NS = 2_000_000_000


def hash_file(path: str | Path, size: int) -> str:
    """Digest a file's bytes, of large ones without reading them into Python."""
    if size < _MAPPED_BYTES:
        return blake3(read_small(path, size)).hexdigest()
    hasher = blake3(max_threads=blake3.AUTO if size >= _THREADED_BYTES else 1)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for start in range(0, size, _WINDOW_BYTES):
            with mmap(file.fileno(), min(_WINDOW_BYTES, size - start), access=ACCESS_READ, offset=start) as window:
                hasher.update(window)
    return hasher.hexdigest()


class DigestCache:
    """A small file of digests by path; losing it costs time only, so it never raises for itself."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def look(self, root: Path, files: Sequence[Found], at_ns: int) -> Look:
        """Recall what is known of the files below a folder, or of a single one.

        Args:
            root: The folder or the file; what is remembered, is remembered of it.
            files: As `plain_files` lists them.
            at_ns: A moment before they were listed.
        """
        key = os.fsencode(os.path.abspath(root))
        row = self._recall(key)
        before = Seen(row[0], row[1]) if row else None
        return Look(key, files, at_ns, Seen.of(files), before, row[2] if row else b"", row[3] if row else "")

    def digests(self, look: Look, files: Sequence[Found]) -> list[str]:
        """Digest files of a look, in their order, reading those that are not known."""
        known = look.known()
        return [known.get(name) or hash_file(path, seen.st_size) for name, path, seen in files]

    def remember(self, look: Look, digests: Sequence[str], whole: str) -> None:
        """Keep the digests of a look's files, and what was made of them all.

        A file that was changed a moment before it was seen is not kept: its times could hide one more change. One that
        was changed since has other times than those that are kept.
        """
        settled = look.at_ns - SETTLED_NS
        fresh = [n for n, (_, _, found) in enumerate(look.files) if found.st_ctime_ns >= settled]
        seen = look.seen.without(fresh) if fresh else look.seen
        row = (look.root, seen.names, seen.stats, bytes.fromhex("".join(digests)), "" if fresh else whole)
        with self._lock:
            try:
                with self._open() as connection:
                    connection.execute("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?)", row)
            except sqlite3.Error:
                pass  # the next call hashes again

    def _recall(self, root: bytes) -> tuple[bytes, bytes, bytes, str] | None:
        with self._lock:
            try:
                sql = "SELECT names, stats, digests, whole FROM looks WHERE root = ?"
                row: tuple[bytes, bytes, bytes, str] | None = self._open().execute(sql, (root,)).fetchone()
            except sqlite3.Error:
                return None
        return row

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
            "CREATE TABLE IF NOT EXISTS looks (root BLOB PRIMARY KEY, names BLOB, stats BLOB, digests BLOB, whole TEXT)"
        )
    except BaseException:
        connection.close()
        raise
    return connection
