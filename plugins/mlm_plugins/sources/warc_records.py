"""Records of a web archive (ISO 28500): one whose Content-Length is false costs itself alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from mlm_plugins.sources.streams import DAMAGE, raw_blocks

_MARK = b"\r\n\r\nWARC/"
"""The end of a record and the beginning of the next."""
_HEAD_BYTES = 1 << 16
_HEAD = re.compile(rb"WARC/[^\r\n]*\r?\n(.*?\n)??\r?\n", re.DOTALL)
_FOLDED = re.compile(r"\r?\n[ \t]+")
_LENGTH = re.compile(r"[0-9]{1,18}")


@frozen
class Record:
    """A record, or why it cannot be read."""

    headers: Mapping[str, str] = field(factory=dict)
    """By their names in small letters."""
    block: bytes = b""
    length: int = 0
    """Bytes of the whole block; `block` is cut where they are more than was asked for."""
    fault: str = ""
    reason: str = "malformed"


def records(file: Path, limit: int) -> Iterator[Record]:
    """Read an archive's records in order, of each block at most `limit` + 1 bytes.

    Raises:
        EOFError, OSError, zlib.error, lzma.LZMAError: The file is damaged; what comes before is read first.
    """
    window = _Window(raw_blocks(file))
    while window.begins():
        headers = window.headers()
        if headers is None:
            yield Record({}, window.ahead(2000), fault="no WARC record begins here")
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
    block = window.take(min(length, limit + 1))
    skipped = window.skip(length - len(block))
    is_whole = len(block) + skipped == length
    if is_whole and window.ends_record():
        return Record(headers, block, length)
    begins = block.find(_MARK)
    if begins >= 0 and not skipped:
        window.give_back(block[begins:])
        return Record(
            headers, block[:begins], fault=f"its Content-Length is {length}, but the next record begins before"
        )
    if is_whole:
        window.seek()
        return Record(headers, block, fault=f"its Content-Length is {length}, but no record ends there")
    if window.error:
        return None
    return Record(
        headers, block, fault=f"the file is cut: {len(block) + skipped} of {length} bytes are there", reason="damaged"
    )


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
        found = _HEAD.match(self.ahead(_HEAD_BYTES))
        if not found:
            return None
        del self._held[: found.end()]
        lines = _FOLDED.sub(" ", (found[1] or b"").decode("utf-8", "replace")).splitlines()
        parts = (line.partition(":") for line in reversed(lines))
        return {name.strip().lower(): value.strip() for name, _, value in parts}

    def ends_record(self) -> bool:
        """Say whether a record may end here: before empty lines, another record, or nothing."""
        ahead = self.ahead(len(_MARK))
        rest = ahead.lstrip(b"\r\n")
        return ahead.startswith(b"\r\n\r\n") or not rest or rest.startswith(b"WARC/")

    def seek(self) -> None:
        """Go on to where another record seems to begin, or to the end."""
        while (found := self._held.find(_MARK)) < 0:
            del self._held[: -len(_MARK)]
            if not self._more():
                self._held.clear()
                return
        del self._held[:found]

    def ahead(self, size: int) -> bytes:
        """Return the next bytes, fewer at the end, without taking them."""
        while len(self._held) < size and self._more():
            pass
        return bytes(self._held[:size])

    def take(self, size: int) -> bytes:
        """Take the next bytes; there are fewer at the end."""
        taken = self.ahead(size)
        del self._held[: len(taken)]
        return taken

    def skip(self, size: int) -> int:
        """Pass over the next bytes, and return how many there were."""
        left = size
        while left and (self._held or self._more()):
            passed = min(left, len(self._held))
            del self._held[:passed]
            left -= passed
        return size - left

    def give_back(self, taken: bytes) -> None:
        self._held[:0] = taken

    def _more(self) -> bool:
        try:
            block = next(self._blocks, b"") if self.error is None else b""
        except DAMAGE as error:
            self.error, block = error, b""
        self._held += block
        return bool(block)
