"""Bytes of a file in blocks: decompressed by what the file holds, and as UTF-8 whatever it was written in."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
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


def _zstd(path: Path) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


_OPENERS: tuple[tuple[re.Pattern[bytes], Callable[[Path], Any]], ...] = (
    (re.compile(rb"\x1f\x8b"), gzip.open),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)"), bz2.open),
    (re.compile(rb"\xfd7zXZ\x00"), lzma.open),
    (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd),
)


def opened(path: Path) -> Any:
    """Open a file for reading bytes; gzip, bzip2, xz and Zstandard are known by how they begin, not by name."""
    with path.open("rb") as file:
        head = file.read(16)
    return next((opener(path) for magic, opener in _OPENERS if magic.match(head)), None) or path.open("rb")


def raw_blocks(path: Path) -> Iterator[bytes]:
    """Read a file's bytes, decompressed; what comes before a damage is given before it is raised."""
    with opened(path) as file:
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
