"""Bytes of a file in blocks: decompressed by what the file holds, and as UTF-8 whatever it was written in."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

BLOCK_BYTES = 1 << 20
DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, UnicodeError)
"""What reading a block raises where the file is damaged, or is not what it seems."""
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # Begins as UTF-16's does.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8 = ("utf-8", "utf8", "ascii", "us-ascii")
_BEHIND = ("Not a gzipped file", "Truncated compressed stream", "Unknown frame descriptor")
"""What codecs say of an archive that is cut, or that something else follows: what they gave before is whole."""


def _zstd(path: Path) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


_OPENERS: tuple[tuple[re.Pattern[bytes], Callable[[Path], Any]], ...] = (
    (re.compile(rb"\x1f\x8b"), gzip.open),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)"), bz2.open),
    (re.compile(rb"\xfd7zXZ\x00"), lzma.open),
    (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd),
)


def raw_blocks(path: Path) -> Iterator[bytes]:
    """Read a file's bytes, decompressed: gzip, bzip2, xz and Zstandard are known by how they begin, not by name.

    What comes before the place where an archive is cut, or where something else follows it, is given before that is
    raised. Of one whose content is damaged only whole members of gzip are given, as codecs notice late, after they
    have made up text.
    """
    with path.open("rb") as file:
        head = file.read(16)
        seen = os.fstat(file.fileno())
    opener = next((opener for magic, opener in _OPENERS if magic.match(head)), None)
    if opener is None:
        yield from _read(path.open("rb"))
        return
    damage = _damage(path, opener, seen.st_size, seen.st_mtime_ns)
    left = _whole_members(path) if damage and opener is gzip.open else 0
    for block in _read(opener(path)) if left or not damage else ():
        if damage and len(block) > left:
            yield block[:left]
            break
        left -= len(block)
        yield block
    if damage:
        raise OSError(f"{damage}; nothing in the damaged part of an archive can be trusted")


@cache
def _damage(path: Path, opener: Callable[[Path], Any], size: int, changed_ns: int) -> str:
    """Read an archive to its end, once while it stays the same, and say what its codec found damaged."""
    try:
        for _ in _read(opener(path)):
            pass
    except EOFError:
        return ""
    except DAMAGE as error:
        return "" if any(told in str(error) for told in _BEHIND) else str(error)
    return ""


def _whole_members(path: Path) -> int:
    """Count the bytes of the members of a gzip archive before the first that is damaged."""
    whole = read = 0
    member, rest = zlib.decompressobj(wbits=31), b""
    with path.open("rb") as file, suppress(zlib.error):
        while rest := rest or file.read(BLOCK_BYTES >> 4):
            read += len(member.decompress(rest, BLOCK_BYTES))
            rest = member.unconsumed_tail
            if member.eof:
                whole, rest = read, member.unused_data.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31)
    return whole


def _read(opened: Any) -> Iterator[bytes]:
    with opened as file:
        read = getattr(file, "read1", None)
        while block := read(BLOCK_BYTES) if read else file.read(BLOCK_BYTES >> 4):
            yield block


def blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """Read a file's text as UTF-8 without its byte order mark, which wins over `encoding`.

    Bytes of a file in UTF-8 are given as they are: whether they are valid is the business of who reads rows.
    """
    raw = raw_blocks(path)
    first = next(raw, b"")
    while len(first) < 4 and (more := next(raw, b"")):
        first += more
    mark, found = next(((mark, name) for mark, name in _MARKS if first.startswith(mark)), (b"", encoding))
    first = first[len(mark) :]
    if found.lower() in _UTF8:
        if not mark and _is_wide(first):
            raise UnicodeError('looks like UTF-16 or UTF-32 without a byte order mark; name it: encoding = "utf-16-le"')
        yield first
        yield from raw
        return
    decoder = codecs.getincrementaldecoder(found)()
    yield decoder.decode(first).encode("utf-8", "surrogatepass")
    for block in raw:
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _is_wide(head: bytes) -> bool:
    """Say whether every other byte of the first characters is NUL, as in Latin text in UTF-16."""
    head = head[:64]
    return len(head) >= 8 and (not any(head[0::2]) or not any(head[1::2]))
