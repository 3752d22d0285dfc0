"""A directory as an object: the manifest of its files.

Only plain files count, by relative path, bytes and whether they are executable; empty folders and times do not.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from attrs import astuple, frozen
from blake3 import blake3

from mlm_registry.errors import Corrupt, NotFound, RegistryError
from mlm_registry.rows import canonical

# The context makes a directory and a file that holds its manifest two different objects.
_CONTEXT = "mlm_registry 2026 directory manifest 1"


@frozen
class Entry:
    """One file of a directory."""

    path: str
    digest: str
    size: int
    executable: bool = False


def manifest(entries: list[Entry]) -> bytes:
    """Write a directory's manifest; equal directories have equal bytes."""
    return canonical([astuple(entry) for entry in sorted(entries, key=lambda e: e.path)]).encode()


def manifest_digest(text: bytes) -> str:
    """Digest a manifest."""
    return blake3(text, derive_key_context=_CONTEXT).hexdigest()


def read_manifest(text: bytes, digest: str) -> list[Entry]:
    """Read a manifest back, refusing any path that leads out of its directory."""
    try:
        entries = [Entry(*row) for row in json.loads(text)]
        inside = all(_is_inside(entry.path) for entry in entries)
    except (ValueError, TypeError, AttributeError) as error:
        raise Corrupt(f"object {digest} is no readable manifest ({error}); restore it from a backup") from error
    if not inside:
        raise Corrupt(f"object {digest} names files outside its own directory; do not use it")
    return entries


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts and str(pure) == path


def plain_stat(path: Path) -> os.stat_result:
    """Stat a plain file or a directory.

    Raises:
        NotFound: There is nothing at that path.
        RegistryError: It is a symbolic link, a device or a socket.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist") from error
    if stat.S_ISLNK(found.st_mode):
        raise RegistryError(f"{path} is a symbolic link; objects hold plain files only, so copy what it points to")
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise RegistryError(f"{path} is neither a file nor a directory; objects hold plain files only")
    return found


def is_executable(found: os.stat_result) -> bool:
    return bool(found.st_mode & stat.S_IXUSR)


def plain_files(root: Path) -> list[tuple[str, Path, os.stat_result]]:
    """List (relative posix path, path, stat) of every file below a folder, by relative path."""
    return sorted(_walk(root, ""), key=lambda found: found[0])


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path, os.stat_result]]:
    for name in os.listdir(folder):
        path = folder / name
        found = plain_stat(path)
        if stat.S_ISDIR(found.st_mode):
            yield from _walk(path, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", path, found
