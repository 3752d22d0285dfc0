"""Lines of a file in bounded memory: one that is too long is set aside, and never held."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import define, field, frozen

from mlm_plugins.sources.streams import DAMAGE, blocks

HEAD_BYTES = 2000


@frozen
class Fault:
    """A row, or the rest of a file, that cannot be read."""

    number: int
    """Which line, row or record it is."""
    detail: str
    head: bytes = b""
    """How it begins."""
    reason: str = "malformed"
    key: bytes = b""
    """What its id is made of, where that is not how it begins."""
    subject: str = ""
    """Whom it is about, where it could be read so far."""


@define
class Lines:
    """Lines that were read together, without their ends."""

    first: int
    """Number of the first one."""
    lines: list[bytes]
    faults: list[Fault] = field(factory=list)


def read_lines(path: Path, encoding: str, limit: int, *, ends: bool = False) -> Iterator[Lines]:
    r"""Read a file's lines, some at a time, as UTF-8.

    Args:
        limit: Bytes of the longest line that is held; longer ones come as faults, and as empty lines.
        ends: Keep each line as it is, with its end, and let `\n` alone end a line. Otherwise `\r\n` and `\r` do too.
    """
    cut = _Cut(limit, ends, universal=not ends)
    try:
        for block in blocks(path, encoding):
            if ends and cut.number == 1 and not cut.head and b"\r" in block and b"\n" not in block:
                cut.universal = True  # Only an old Macintosh's file has no other ends.
            found = cut.add(block)
            if found.lines:
                yield found
    except DAMAGE as error:
        yield Lines(cut.number, [], [damage(cut.number, "line", error, cut.head)])
        return
    yield cut.rest()


def damage(number: int, unit: str, error: BaseException, head: bytes = b"") -> Fault:
    """Return the fault of a file of which nothing more can be read, from a row on."""
    beyond = f" beyond {unit} {number - 1}" if number > 1 else ""
    return Fault(number, f"cannot be read{beyond}: {_said(error)}", head[:HEAD_BYTES], "damaged")


def _said(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f'no {error.encoding} ({error.reason}); name the encoding that it has: encoding = "..."'
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())


@define
class _Cut:
    """Cuts blocks into lines; remembers what came after the last line's end."""

    limit: int
    ends: bool
    universal: bool
    number: int = 1
    _held: list[bytes] = field(factory=list)
    """Parts of a line whose end has not come."""
    _size: int = 0
    """Bytes of that line; of one that is too long, the parts are its head alone."""
    _half: bytes = b""
    r"""A `\r` at a block's end, which may be half of `\r\n`."""

    @property
    def head(self) -> bytes:
        """Return how the line begins whose end has not come."""
        return b"".join(self._held)[:HEAD_BYTES]

    def add(self, block: bytes) -> Lines:
        """Return the lines that a block completes."""
        if self.universal and (self._half or b"\r" in block):
            block = self._half + block
            self._half = b"\r" if block.endswith(b"\r") else b""
            block = block[: len(block) - len(self._half)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *parts = block.split(b"\n")
        if not parts:
            self._hold(first)
            return Lines(self.number, [])
        found = Lines(self.number, [])
        for line in self._ended(first, found), *parts[:-1]:
            if len(line) > self.limit:
                self._too_long(found, len(line), line)
                line = b""
            found.lines.append(line)
        self.number += len(found.lines)
        self._hold(parts[-1])
        if self.ends:
            found.lines = [line + b"\n" for line in found.lines]
        return found

    def rest(self) -> Lines:
        """Return what has no end of line after it."""
        if self._half:
            self._half = b""
            return self.add(b"\n")
        if not self._size:
            return Lines(self.number, [])
        found = self.add(b"\n")
        if self.ends:
            found.lines = [line[:-1] for line in found.lines]
        return found

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        self._held.append(part)
        if self._size > self.limit:
            self._held = [b"".join(self._held)[: min(HEAD_BYTES, self.limit)]]

    def _ended(self, last: bytes, found: Lines) -> bytes:
        """Return the held line with its last part; empty where it is too long."""
        self._hold(last)
        line, size = b"".join(self._held), self._size
        self._held, self._size = [], 0
        if size <= self.limit:
            return line
        self._too_long(found, size, line)
        return b""

    def _too_long(self, found: Lines, size: int, line: bytes) -> None:
        detail = f"{size} bytes are more than max_row_bytes = {self.limit}"
        found.faults.append(Fault(found.first + len(found.lines), detail, line[:HEAD_BYTES]))
