"""What a look at a folder saw, packed so that it is compared with the last look at once."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Sequence

from attrs import frozen

from mlm_registry.trees import Found

_DIGEST_BYTES = 32
_STAT_BYTES = 4 * 8
_WORD = (1 << 64) - 1


@frozen
class Seen:
    """Files as they were at one moment: relative paths, and what changes with a file's content."""

    names: bytes
    """A zero byte between each two."""
    stats: bytes
    """Inode, size and both times in ns, 8 bytes each."""

    @classmethod
    def of(cls, files: Sequence[Found]) -> Seen:
        """Pack what was seen of some files."""
        names = os.fsencode("\0".join([name for name, _, _ in files]))
        words = [word for _, _, s in files for word in (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)]
        try:
            return cls(names, array("q", words).tobytes())
        except OverflowError:  # Some file systems number beyond 63 bits.
            return cls(names, array("Q", [word & _WORD for word in words]).tobytes())

    def without(self, numbers: Iterable[int]) -> Seen:
        """Return the same with stats that no file has in the place of some."""
        stats = bytearray(self.stats)
        for n in numbers:
            stats[n * _STAT_BYTES : (n + 1) * _STAT_BYTES] = bytes(_STAT_BYTES)
        return Seen(self.names, bytes(stats))

    def by_name(self) -> dict[str, bytes]:
        """Return the stat of each file."""
        names = os.fsdecode(self.names).split("\0")
        return {name: self.stats[n * _STAT_BYTES : (n + 1) * _STAT_BYTES] for n, name in enumerate(names)}


@frozen
class Look:
    """A look at a folder or a file, and what the last one had found."""

    root: bytes
    files: Sequence[Found]
    at_ns: int
    seen: Seen
    before: Seen | None
    digests: bytes
    """Of the files that were seen before, 32 bytes each."""
    made: str

    @property
    def whole(self) -> str:
        """What the last caller made of exactly these files; nothing where one has changed."""
        return self.made if self.seen == self.before else ""

    def known(self) -> dict[str, str]:
        """Return the digests of the files that are as they were, by relative path."""
        if self.before is None:
            return {}
        text, now, step = self.digests.hex(), self.seen.by_name(), 2 * _DIGEST_BYTES
        return {
            name: text[n * step : (n + 1) * step]
            for n, (name, stat) in enumerate(self.before.by_name().items())
            if now.get(name) == stat
        }
