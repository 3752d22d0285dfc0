"""Records of a web archive (ISO 28500): one whose Content-Length is false costs itself alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from mlm_plugins.sources.lines import HEAD_BYTES
from mlm_plugins.sources.streams import DAMAGE, raw_blocks

_MARK = re.compile(rb"\n\r?\nWARC/[0-9]")
"""The end of a record and the beginning of the next; archives that lost their carriage returns have it too."""
_MARK_BYTES = 9
_HEADERS_BYTES = 1 << 16
_HEAD = re.compile(rb"WARC/[^\r\n]*\r?\n(.*?\n)??\r?\n", re.DOTALL)
_FOLDED = re.compile(r"\r?\n[ \t]+")
_LINE_END = re.compile(r"\r?\n")
_LENGTH = re.compile(r"[0-9]{1,18}")


@frozen
class Record:
    """A record, or why it cannot be read."""

    headers: Mapping[str, str] = field(factory=dict)
    """By their names in small letters."""
    block: bytes = b""
    length: int = 0
    """Bytes of the whole block; of one that is longer than was asked for, and of a fault, `block` is how it begins."""
    fault: str = ""
    reason: str = "malformed"


def records(file: Path, limit: int) -> Iterator[Record]:
    """Read an archive's records in order; of a block beyond `limit` bytes only how it begins.

    No more than about `limit` bytes are held. So where a record is longer, and has another's beginning in it with more
    than `limit` bytes to go, its length counts as false.

    Raises:
        EOFError, OSError, zlib.error, lzma.LZMAError: The file is damaged; what comes before is read first.
    """
    window = _Window(raw_blocks(file))
    while window.begins():
        headers = window.headers()
        if headers is None:
            yield Record({}, window.ahead(HEAD_BYTES), fault="no WARC record begins here")
            window.seek()
            continue
        told = headers.get("content-length", "")
        if not _LENGTH.fullmatch(told):
            yield Record(headers, fault=f"its Content-Length is {told[:40]!r}, expected a number of bytes")
            window.seek()
            continue
        record = _with_block(window, headers, int(told), limit)
        if record is None:
            break
        yield record
    if window.error:
        raise window.error


def _with_block(window: _Window, headers: Mapping[str, str], length: int, limit: int) -> Record | None:
    """Take a record's block; None where the file is damaged in it."""
    begins = window.ahead(min(length, HEAD_BYTES))
    passed = window.seek(length) if length > limit else 0
    rest = length - passed
    if rest <= limit and window.ends_record(rest):
        block = window.take(rest)
        return Record(headers, begins if length > limit else block, length)
    passed += window.seek()
    if passed >= length:
        told = "but no record ends there"
    elif window.ahead(1):
        told = "but the next record begins before"
    elif window.error:
        return None
    else:
        cut = f"the file is cut: {passed} of {length} bytes are there"
        return Record(headers, begins, fault=cut, reason="damaged")
    return Record(headers, begins, fault=f"its Content-Length is {length}, {told}")


class _Window:
    """A file's bytes, of which some can be looked at before they are taken; a damage ends them."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._held = blocks, bytearray()
        self.error: BaseException | None = None

    def begins(self) -> bool:
        """Pass over empty lines; False at the end."""
        while self.ahead(1) in (b"\r", b"\n"):
            del self._held[:1]
        return bool(self._held)

    def headers(self) -> dict[str, str] | None:
        """Take a record's headers; None where no record begins."""
        found = _HEAD.match(self.ahead(_HEADERS_BYTES))
        if not found:
            return None
        del self._held[: found.end()]
        lines = _LINE_END.split(_FOLDED.sub(" ", (found[1] or b"").decode("utf-8", "replace")))
        parts = (line.partition(":") for line in reversed(lines))
        return {name.strip().lower(): value.strip() for name, _, value in parts}

    def ends_record(self, size: int) -> bool:
        """Say whether a record may end after the next bytes: before empty lines, another record, or nothing."""
        if not self._hold(size):
            return False
        self._hold(size + _MARK_BYTES)
        after = self._held[size : size + _MARK_BYTES]
        rest = after.lstrip(b"\r\n")
        return after.startswith(b"\r\n\r\n") or not rest or rest.startswith(b"WARC/")

    def seek(self, most: int = sys.maxsize) -> int:
        """Pass over bytes up to where another record seems to begin, to `most` or to the end; return how many."""
        passed = 0
        while True:
            found = _MARK.search(self._held)
            # A mark may lie across the bytes that are held and those that come.
            step = min(found.start() if found else max(len(self._held) - _MARK_BYTES, 0), most - passed)
            del self._held[:step]
            passed += step
            if found or passed == most:
                return passed
            if not self._more():
                return passed + len(self.take(most - passed))

    def ahead(self, size: int) -> bytes:
        """Return the next bytes, fewer at the end, without taking them."""
        self._hold(size)
        return bytes(self._held[:size])

    def take(self, size: int) -> bytes:
        """Take the next bytes; there are fewer at the end."""
        taken = self.ahead(size)
        del self._held[: len(taken)]
        return taken

    def _hold(self, size: int) -> bool:
        """Read on until so many bytes are held; False where the file has fewer."""
        while len(self._held) < size and self._more():
            pass
        return len(self._held) >= size

    def _more(self) -> bool:
        try:
            block = next(self._blocks, b"") if self.error is None else b""
        except DAMAGE as error:
            self.error, block = error, b""
        self._held += block
        return bool(block)
