"""Where objects lie, and how bytes get there whole or not at all.

objects/ab/cdef...         the bytes of a file, read-only
objects/ab/cdef....tree    the manifest of a directory
objects/ab/cdef....packs   which objects hold its small files, where it has many
trees/abcdef.../           a directory made readable, of hard links to its files
tmp/                       what is being written; a rename makes it an object
arriving/                  what is being fetched or laid out; the same, and by reading commands, so at any time
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3

from mlm_registry.errors import NotFound, RegistryError
from mlm_registry.packs import Pack, is_small, read_listing
from mlm_registry.trees import Entry, read_manifest

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT}
# The file system has no hard links, or this file has too many.
_NO_LINK = {errno.EMLINK, errno.EPERM, errno.EXDEV, errno.ENOTSUP}


class Blobs:
    """The files of the object store."""

    def __init__(self, folder: Path) -> None:
        self.objects = folder / "objects"
        self.trees = folder / "trees"
        self.temporary = folder / "tmp"
        self.arriving = folder / "arriving"

    def blob(self, digest: str) -> Path:
        """Return where a file's bytes lie, stored or not."""
        return Path(self._place(digest))

    def _place(self, digest: str) -> str:
        if not _DIGEST.fullmatch(digest):
            raise NotFound(f"{digest!r} is no digest; expected 64 hex digits")
        return f"{self.objects}/{digest[:2]}/{digest[2:]}"

    def manifest(self, digest: str) -> Path:
        """Return where a directory's manifest lies, stored or not."""
        return Path(f"{self._place(digest)}.tree")

    def listing(self, digest: str) -> Path:
        """Return where the packs of a directory are listed, if it has any."""
        return Path(f"{self._place(digest)}.packs")

    def tree(self, digest: str) -> Path:
        """Return where a directory is laid out, or would be."""
        return self.trees / digest

    def name(self, path: Path) -> str:
        """Return a stored file's path within the registry's folder: a remote keeps it by that name."""
        return path.relative_to(self.objects.parent).as_posix()

    def entries(self, digest: str) -> list[Entry]:
        """List the files of a directory."""
        try:
            text = self.manifest(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"no object has digest {digest}; its bytes were erased, or never stored here") from None
        return read_manifest(text, digest)

    def packs(self, digest: str, entries: Sequence[Entry]) -> list[Pack]:
        """List the packs of a directory with those entries; none where each file is an object of its own."""
        try:
            text = self.listing(digest).read_bytes()
        except FileNotFoundError:
            return []
        return read_listing(text, entries, digest)

    def are_here(self, digest: str) -> bool:
        """Say whether all stored files of an object are here; each step of a run asks, so no path is made of them."""
        place = self._place(digest)
        if os.path.exists(place):
            return True
        if not os.path.exists(f"{place}.tree"):
            return False
        entries = self.entries(digest)
        packs = self.packs(digest, entries)
        digests = [*(entry.digest for entry in loose(entries, packs)), *(pack.digest for pack in packs)]
        return all(os.path.exists(self._place(part)) for part in digests)

    def needs(self, digest: str) -> list[Path]:
        """List the stored files that an object is made of, its manifest last."""
        if not self.manifest(digest).exists():
            return [self.blob(digest)]
        entries = self.entries(digest)
        packs = self.packs(digest, entries)
        files = [self.blob(entry.digest) for entry in loose(entries, packs)]
        if packs:
            files += [*(self.blob(pack.digest) for pack in packs), self.listing(digest)]
        return [*files, self.manifest(digest)]

    def write(self, chunks: Iterable[bytes], target: Path | None = None) -> str:
        """Write bytes to their place and return their digest; `target` is where bytes go that are no file's."""
        import tempfile

        self.temporary.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.temporary)
        hasher = blake3()
        try:
            with open(handle, "wb", buffering=0) as file:
                for chunk in chunks:
                    hasher.update(chunk)
                    _write_whole(file.fileno(), chunk)
                os.fchmod(file.fileno(), 0o444)
                os.fsync(file.fileno())
            digest = hasher.hexdigest()
            place = target or self.blob(digest)
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(name, place)
        finally:
            Path(name).unlink(missing_ok=True)
        return digest

    def lay_out(self, digest: str) -> Path:
        """Make a directory readable; it is built beside its place and renamed, so that it is never half there."""
        import shutil
        import tempfile

        tree = self.tree(digest)
        if tree.exists():
            return tree
        entries = self.entries(digest)
        self.arriving.mkdir(parents=True, exist_ok=True)
        self.trees.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=self.arriving))
        try:
            building.chmod(0o755)
            for folder in {(building / entry.path).parent for entry in entries}:
                folder.mkdir(parents=True, exist_ok=True)
            packs = self.packs(digest, entries)
            for entry in loose(entries, packs):
                _link(self.blob(entry.digest), building / entry.path, entry.executable)
            for pack in packs:
                for entry, content in pack.files(self.blob(pack.digest).read_bytes()):
                    _write_file(building / entry.path, content, entry.executable)
            _rename(building, tree)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return tree


def _write_whole(handle: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _link(source: Path, target: Path, executable: bool) -> None:
    """Link a file into a directory, or copy it where a link would not do."""
    if not executable:
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
        else:
            return
    import shutil

    # A hard link shares its permissions with the object, so an executable needs bytes of its own.
    shutil.copyfile(source, target)
    target.chmod(0o555 if executable else 0o444)


def _rename(building: Path, tree: Path) -> None:
    try:
        os.rename(building, tree)
    except OSError as error:
        # Another process may have been first; its directory is the same.
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise


def loose(entries: Sequence[Entry], packs: Sequence[Pack]) -> list[Entry]:
    """Return the entries of a directory that are objects of their own."""
    return [entry for entry in entries if not is_small(entry.size)] if packs else list(entries)


def _write_file(target: Path, content: bytes, executable: bool) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write_whole(handle, content)
        os.fchmod(handle, 0o555 if executable else 0o444)
    finally:
        os.close(handle)


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn an error of the file system into one line of the registry's own."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise RegistryError(f"cannot {action}: no space left; free some space and run again") from error
        raise RegistryError(f"cannot {action}: {error}") from error
