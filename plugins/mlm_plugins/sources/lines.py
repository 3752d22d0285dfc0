"""Lines of a text file that may be gzipped, and ids for the rows made of them."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from io import BufferedIOBase
from itertools import islice
from pathlib import Path
from typing import TypeVar

from attrs import define, field

import mlm

T = TypeVar("T")


def existing(path: Path, where: str) -> Path:
    """Return `path` where it is a file; ProjectError names it otherwise."""
    if path.is_dir():
        raise mlm.ProjectError(f"{path} is a folder, expected a file", where)
    if not path.is_file():
        raise mlm.ProjectError(f"no such file: {path}", where)
    return path


def digest(path: Path) -> str:
    """Return the BLAKE3 digest of a file's bytes."""
    from blake3 import blake3

    hasher = blake3()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read (line number, text) of the lines that are not blank, without the line's end.

    DataError names file and line where the bytes are no UTF-8, and the file where its compression is damaged.
    """
    with _opened(path) as file:
        number = 0
        try:
            for number, raw in enumerate(file, start=1):
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if text.strip():
                    yield number, text
        except UnicodeDecodeError as error:
            raise mlm.DataError(
                f"{path}, line {number}: byte {error.start + 1} is not UTF-8; save it as UTF-8"
            ) from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise mlm.DataError(f"{path} is damaged after line {number}: {error}") from None


def _opened(path: Path) -> BufferedIOBase:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


@define
class RowIds:
    """Gives ids that survive insertions elsewhere in the file: a digest of the row, and which of its equals it is."""

    _seen: Counter[bytes] = field(factory=Counter)

    def next(self, row: bytes) -> str:
        """Return the id of the next row with these bytes; the second of two equal rows ends in `:2`."""
        from blake3 import blake3

        key = blake3(row).digest()[:8]
        self._seen[key] += 1
        occurrence = self._seen[key]
        return key.hex() if occurrence == 1 else f"{key.hex()}:{occurrence}"


def chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Cut an iterator into lists of at most `size`."""
    while chunk := list(islice(items, size)):
        yield chunk
