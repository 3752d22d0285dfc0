"""Hash stored bytes again, and delete those that nothing needs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3

from mlm_registry.blobs import Blobs, loose
from mlm_registry.digests import hash_file
from mlm_registry.errors import Corrupt
from mlm_registry.packs import Pack
from mlm_registry.trees import Entry, manifest_digest, plain_files

_ARRIVED_SECONDS = 24 * 3600


def check(blobs: Blobs, digest: str) -> None:
    """Raise Corrupt, naming the file, unless every byte of an object matches its digest."""
    if blobs.blob(digest).exists():
        _check_file(blobs.blob(digest), digest, digest)
    else:
        _check_directory(blobs, digest)


def _check_directory(blobs: Blobs, digest: str) -> None:
    entries = blobs.entries(digest)
    if manifest_digest(blobs.manifest(digest).read_bytes()) != digest:
        raise Corrupt(f"the manifest of object {digest} does not match its digest; restore it from a backup")
    packs = blobs.packs(digest, entries)
    for entry in loose(entries, packs):
        _check_file(blobs.blob(entry.digest), entry.digest, f"{digest} ({entry.path})")
    for pack in packs:
        _check_pack(blobs.blob(pack.digest), pack, digest)
    if blobs.tree(digest).exists():
        _check_tree(blobs, digest, entries)


def _check_file(path: Path, digest: str, what: str) -> None:
    if not path.exists():
        raise Corrupt(f"the bytes of object {what} are missing; restore {path} from a backup")
    if hash_file(path, path.stat().st_size) != digest:
        raise Corrupt(f"the bytes of object {what} do not match their digest; restore {path} from a backup")


def _check_pack(path: Path, pack: Pack, digest: str) -> None:
    if not path.exists():
        named = f"{digest} ({pack.entries[0].path} and {len(pack.entries) - 1} more)"
        raise Corrupt(f"the bytes of object {named} are missing; restore {path} from a backup")
    for entry, content in pack.files(path.read_bytes()):
        if blake3(content).hexdigest() != entry.digest:
            named = f"{digest} ({entry.path})"
            raise Corrupt(f"the bytes of object {named} do not match their digest; restore {path} from a backup")


def _check_tree(blobs: Blobs, digest: str, entries: list[Entry]) -> None:
    """Check the directory that engines really read."""
    tree = blobs.tree(digest)
    found = {name: (path, seen) for name, path, seen in plain_files(tree)}
    expected = {entry.path: entry.digest for entry in entries}
    for name in sorted(found.keys() ^ expected.keys()):
        what = "was added to" if name in found else "is missing from"
        raise Corrupt(f"{name} {what} {tree}; delete that directory, and it is laid out again")
    for name, (path, seen) in found.items():
        # A hard link is the very file that was hashed above.
        if not _is_link_to(blobs.blob(expected[name]), seen):
            _check_file(Path(path), expected[name], f"{digest} ({name})")


def _is_link_to(blob: Path, seen: os.stat_result) -> bool:
    try:
        return os.path.samestat(seen, blob.stat())
    except FileNotFoundError:  # It is in a pack.
        return False


def garbage(blobs: Blobs, keep: Iterable[str]) -> list[tuple[Path, int]]:
    """List (path, bytes freed) of what none of the digests needs; hard links of a laid out directory free nothing."""
    kept = _kept(blobs, keep)
    files = [(path, path.stat().st_size) for path in sorted(blobs.objects.glob("??/*")) if path not in kept]
    others = [path for path in (*blobs.trees.glob("*"), *blobs.temporary.glob("*")) if path not in kept]
    # Reading commands fetch and lay out while a collection is at work, so what has just arrived is left alone.
    others += [path for path in blobs.arriving.glob("*") if path.stat().st_mtime < time.time() - _ARRIVED_SECONDS]
    return files + [(path, 0) for path in sorted(others)]


def forget(blobs: Blobs, digests: Iterable[str], keep: Iterable[str]) -> int:
    """Delete the bytes of some objects, but for files that another one needs, and return how many files went."""
    kept = _kept(blobs, keep)
    gone = 0
    for digest in digests:
        tree = blobs.tree(digest)
        if tree not in kept and tree.exists():
            shutil.rmtree(tree)
        # The manifest goes last: until then a deletion that was cut short can be taken up again.
        for path in blobs.needs(digest):
            if path not in kept and path.is_file():
                path.unlink()
                gone += 1
    return gone


def sweep(blobs: Blobs, keep: Iterable[str]) -> int:
    """Delete what none of the digests needs, and return the bytes freed."""
    freed = 0
    for path, size in garbage(blobs, keep):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        freed += size
    return freed


def _kept(blobs: Blobs, keep: Iterable[str]) -> set[Path]:
    """Return the paths of what some objects need, laid out directories included."""
    digests = list(keep)
    return {path for digest in digests for path in blobs.needs(digest)} | {blobs.tree(digest) for digest in digests}
