"""Many small files of one directory, stored as a few objects: a file for each would cost more than their bytes.

A pack is an object like any other: the bytes of small files, one after another in the order of the manifest. Where it
ends is decided by what it holds, so that a changed file changes one pack and leaves the others as they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

from attrs import frozen
from blake3 import blake3

from mlm_registry.errors import Corrupt
from mlm_registry.trees import Entry, Found, is_executable, read_small

_DIGEST = re.compile(r"[0-9a-f]{64}")
SMALL_BYTES = 1 << 16
MANY = 64
"""A directory with so many small files has them packed."""
_LEAST_BYTES = 4 << 20
_MOST_BYTES = 16 << 20
_ONE_IN = 128


@frozen
class Pack:
    """A pack, and the files that it holds, in their order."""

    digest: str
    entries: tuple[Entry, ...]

    def files(self, content: bytes) -> Iterator[tuple[Entry, bytes]]:
        """Cut a pack's bytes into its files."""
        start = 0
        for entry in self.entries:
            yield entry, content[start : start + entry.size]
            start += entry.size


def is_small(size: int) -> bool:
    """Say whether a file is packed where there are many."""
    return size <= SMALL_BYTES


def packed(files: Sequence[Found], write: Callable[[bytes], str]) -> list[Pack]:
    """Read small files and write them into packs.

    Args:
        files: In the order of their paths.
        write: Stores bytes and returns their digest.
    """
    packs: list[Pack] = []
    entries: list[Entry] = []
    contents: list[bytes] = []
    size = 0
    for name, path, seen in files:
        content = read_small(path, seen.st_size)
        digest = blake3(content).hexdigest()
        entries.append(Entry(name, digest, len(content), is_executable(seen)))
        contents.append(content)
        size += len(content)
        if size >= _MOST_BYTES or (size >= _LEAST_BYTES and int(digest[:8], 16) % _ONE_IN == 0):
            packs.append(Pack(write(b"".join(contents)), tuple(entries)))
            entries, contents, size = [], [], 0
    if entries:
        packs.append(Pack(write(b"".join(contents)), tuple(entries)))
    return packs


def listing(packs: Sequence[Pack]) -> bytes:
    """Write which packs hold the small files of a directory."""
    return json.dumps([[pack.digest, len(pack.entries)] for pack in packs]).encode()


def read_listing(text: bytes, entries: Sequence[Entry], digest: str) -> list[Pack]:
    """Read a listing back, beside the manifest of its directory."""
    small = [entry for entry in entries if is_small(entry.size)]
    packs, start = [], 0
    try:
        for pack, count in json.loads(text):
            if not _DIGEST.fullmatch(pack) or count < 1:
                raise ValueError(f"{pack!r} with {count} files is no pack")
            packs.append(Pack(pack, tuple(small[start : start + count])))
            start += count
    except (ValueError, TypeError) as error:
        raise Corrupt(f"the packs of object {digest} are not readable ({error}); restore it from a backup") from error
    if start != len(small):
        raise Corrupt(f"the packs of object {digest} hold {start} of {len(small)} files; restore it from a backup")
    return packs
