"""Content-addressed files beside the database; a directory is a manifest of its files."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from mlm_registry.blobs import Blobs, explained, loose
from mlm_registry.digests import DigestCache
from mlm_registry.errors import Corrupt, NotFound, RegistryError
from mlm_registry.looks import Look
from mlm_registry.packs import MANY, is_small, listing, packed
from mlm_registry.progress import Progress, silent
from mlm_registry.trees import Entry, Found, manifest, manifest_digest, plain_files, plain_stat

if TYPE_CHECKING:
    from mlm_registry.fetching import Fetching
    from mlm_registry.remotes import Remote

_CHUNK_BYTES = 1 << 20
_WRITERS = 8
_ITSELF = ""
"""The relative path of a file that is looked at by itself."""


class Objects:
    """Bytes by the digest of their content; equal bytes are stored once."""

    def __init__(self, folder: Path, remote: Remote | None = None) -> None:
        self._blobs = Blobs(folder)
        self._remote = remote
        self._cache = DigestCache(folder / "digests.db")

    @cached_property
    def _fetching(self) -> Fetching:
        from mlm_registry.fetching import Fetching

        return Fetching(self._blobs, self._remote)

    def put(self, path: Path) -> str:
        """Store a file or a directory and return its digest.

        Raises:
            NotFound: There is nothing at that path.
            RegistryError: It is or holds a symbolic link or a special file, or the disk is full.
        """
        path = Path(path)
        with explained(f"store {path}"):
            look = self._look(path)
            if look.whole and self.is_here(look.whole):
                return look.whole
            if _is_file(look):
                return self._put_file(path, look.whole or self._digest(look))
            return self._put_tree(path, look)

    def put_bytes(self, content: bytes) -> str:
        """Store bytes as a file and return their digest."""
        digest = blake3(content).hexdigest()
        if self._blobs.blob(digest).exists():
            return digest
        with explained(f"store {len(content)} bytes"):
            return self._blobs.write([content])

    def _look(self, path: Path) -> Look:
        at_ns = time.time_ns()
        found = plain_stat(path)
        files = plain_files(path) if stat.S_ISDIR(found.st_mode) else [(_ITSELF, str(path), found)]
        return self._cache.look(path, files, at_ns)

    def _put_file(self, path: Path, digest: str) -> str:
        """Store a file that had that digest; one that changed since is stored as what it became."""
        if self._blobs.blob(digest).exists():
            return digest
        with open(path, "rb") as file:
            return self._blobs.write(iter(lambda: file.read(_CHUNK_BYTES), b""))

    def _put_tree(self, root: Path, look: Look) -> str:
        small = [file for file in look.files if is_small(file[2].st_size)]
        packs = packed(small, self.put_bytes) if len(small) >= MANY else []
        rest = [file for file in look.files if not is_small(file[2].st_size)] if packs else look.files
        alone = self._put_entries(root, _entries(rest, self._cache.digests(look, rest)))
        entries = [*alone, *(entry for pack in packs for entry in pack.entries)]
        if packs and loose(entries, packs) != alone:
            raise RegistryError(f"{root} changed while it was stored; wait until nothing writes there, and try again")
        entries.sort(key=attrgetter("path"))
        text = manifest(entries)
        digest = manifest_digest(text)
        # The manifest comes last: what has one is whole.
        if packs and not self._blobs.listing(digest).exists():
            self._blobs.write([listing(packs)], self._blobs.listing(digest))
        if not self._blobs.manifest(digest).exists():
            self._blobs.write([text], self._blobs.manifest(digest))
        self._cache.remember(look, [entry.digest for entry in entries], digest)
        return digest

    def _put_entries(self, root: Path, entries: list[Entry]) -> list[Entry]:
        """Store files as objects of their own."""
        from concurrent.futures import ThreadPoolExecutor

        # Each file waits for the disk, and the disk serves several waiting at once.
        with ThreadPoolExecutor(_WRITERS) as pool:
            return list(pool.map(lambda entry: self._put_entry(root, entry), entries))

    def _put_entry(self, root: Path, entry: Entry) -> Entry:
        digest = self._put_file(root / entry.path, entry.digest)
        size = entry.size if digest == entry.digest else self.size(digest)
        return Entry(entry.path, digest, size, entry.executable)

    def digest(self, path: Path) -> str:
        """Return the digest that `put` would, and store nothing."""
        path = Path(path)
        with explained(f"read {path}"):
            look = self._look(path)
            return look.whole or self._digest(look)

    def _digest(self, look: Look) -> str:
        digests = self._cache.digests(look, look.files)
        whole = digests[0] if _is_file(look) else manifest_digest(manifest(_entries(look.files, digests)))
        self._cache.remember(look, digests, whole)
        return whole

    def has(self, digest: str) -> bool:
        """Say whether an object can be read: every file of it is here, or the remote had it when it was last seen."""
        return self.is_here(digest) or self._fetching.can(digest)

    def is_here(self, digest: str) -> bool:
        """Say whether every file of an object is here, without reading them."""
        try:
            return self._blobs.are_here(digest)
        except (NotFound, Corrupt):
            return False

    def expected_here(self, digest: str) -> bool:
        """Say whether an object is here, or lost: one that the remote has yet to send is neither."""
        return self.is_here(digest) or not self._fetching.can(digest)

    def fetch(self, digest: str, progress: Progress = silent) -> None:
        """Bring an object here from the remote, verified; one that is here, or that nobody has, is left alone."""
        if not self.is_here(digest):
            with explained(f"fetch object {digest}"):
                self._fetching.bring(digest, progress)

    def files(self, digest: str) -> list[Path]:
        """List the stored files that an object is made of, here or not."""
        return self._blobs.needs(digest)

    def name(self, path: Path) -> str:
        """Return by which name a remote knows a stored file."""
        return self._blobs.name(path)

    def names(self, digest: str) -> list[str]:
        """List by which names a remote keeps the files of an object, here or there."""
        with explained(f"read object {digest}"):
            return self._fetching.names(digest)

    def entries(self, digest: str) -> list[Entry]:
        """List the files of a directory, by path."""
        with explained(f"fetch object {digest}"):
            self._fetching.bring_manifest(digest)
        return self._blobs.entries(digest)

    def path(self, digest: str) -> Path:
        """Return where an object can be read: a file, or a directory. Never write there."""
        self.fetch(digest)
        blob = self._blobs.blob(digest)
        if blob.exists():
            return blob
        with explained(f"lay out object {digest}"):
            return self._blobs.lay_out(digest)

    def read(self, digest: str) -> bytes:
        """Read a file's bytes."""
        self.fetch(digest)
        try:
            return self._blobs.blob(digest).read_bytes()
        except FileNotFoundError:
            self.entries(digest)
            raise RegistryError(f"object {digest} is a directory; read the files below its path") from None

    def size(self, digest: str) -> int:
        """Return the bytes of a file, or of all files of a directory."""
        self.fetch(digest)
        blob = self._blobs.blob(digest)
        return blob.stat().st_size if blob.exists() else sum(entry.size for entry in self.entries(digest))

    def check(self, digest: str) -> None:
        """Hash an object again, with its laid out directory if there is one.

        Raises:
            Corrupt: Some bytes are missing or do not match; the message names the file.
            NotFound: There is no such object.
        """
        from mlm_registry import integrity

        self.fetch(digest)
        with explained(f"read object {digest}"):
            integrity.check(self._blobs, digest)

    def verify(self, digest: str) -> bool:
        """Hash an object again and say whether it is here and whole."""
        try:
            self.check(digest)
        except (Corrupt, NotFound):
            return False
        return True

    def garbage(self, keep: Iterable[str]) -> list[tuple[Path, int]]:
        """List (path, bytes) of what none of the digests needs: what `sweep` would delete."""
        from mlm_registry import integrity

        with explained("list objects"):
            return integrity.garbage(self._blobs, keep)

    def forget(self, digests: Iterable[str], keep: Iterable[str]) -> int:
        """Delete the bytes of those objects, but for what `keep` needs, and return how many files went.

        They are not fetched again: a remote that still has them is taken for one that has not.
        """
        from mlm_registry import integrity

        digests, keep = list(digests), list(keep)
        with explained("delete objects"):
            self._fetching.forget(digests, (path for digest in keep for path in self._blobs.needs(digest)))
            return integrity.forget(self._blobs, digests, keep)

    def sweep(self, keep: Iterable[str]) -> int:
        """Delete every object that none of the digests needs, and return the bytes freed.

        Nothing else may store objects meanwhile: bytes are stored before a node names them.
        """
        from mlm_registry import integrity

        with explained("delete objects"):
            return integrity.sweep(self._blobs, keep)

    def close(self) -> None:
        """Close the cache of digests."""
        self._cache.close()


def _is_file(look: Look) -> bool:
    return len(look.files) == 1 and look.files[0][0] == _ITSELF


def _entries(files: Iterable[Found], digests: Iterable[str]) -> list[Entry]:
    return [
        Entry(name, digest, seen.st_size, seen.st_mode & stat.S_IXUSR != 0)
        for (name, _, seen), digest in zip(files, digests, strict=True)
    ]
