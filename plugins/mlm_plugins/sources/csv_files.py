"""Tables of text: CSV and TSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from attrs import define
from attrs.validators import max_len

import mlm
from mlm_plugins.sources.json_values import canonical
from mlm_plugins.sources.lines import HEAD_BYTES, Fault, read_lines
from mlm_plugins.sources.plain import NOT_UTF8
from mlm_plugins.sources.reading import Chunk, bare, sized
from mlm_plugins.sources.typed import TypedFiles

Row = tuple[int, Any, bytes]
_WORDS = {"true": True, "false": False, "1": True, "0": False}


@define(kw_only=True)
class Csv(TypedFiles):
    """Reads tables (.csv, .tsv) by RFC 4180: each cell is text, unless `columns` declares a type.

    A row of more or fewer cells than the header, or whose quotation marks do not end, is malformed. The number of a
    row is that of its first line. A column that the header gives no name is `column_1` and so on, by its place.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")

    delimiter: str = mlm.setting(
        "", validator=max_len(1), help="what separates cells; default: a tab in .tsv, else a comma"
    )
    header: list[str] = mlm.setting(factory=list, help="names of the columns, where the file has no header")
    encoding: str = mlm.setting("utf-8", help="encoding of files that have no byte order mark")

    def chunks(self, file: Path) -> Iterator[Chunk]:
        return sized(self._rows(file))

    def _rows(self, file: Path) -> Iterator[Row | Fault]:
        delimiter = self.delimiter or ("\t" if bare(file.name).endswith(".tsv") else ",")
        names = self.header
        for record in _records(_Lines(file, self.encoding, self.max_row_bytes), delimiter):
            if isinstance(record, Fault):
                yield record
                if not names and record.reason != "damaged":
                    yield Fault(record.number, "without a header, no row of the file can be read", reason="damaged")
                    return
                continue
            number, cells = record
            if not names:
                names = [name or f"column_{place}" for place, name in enumerate(cells, 1)]
                if twice := sorted({name for name in names if names.count(name) > 1}):
                    detail = f"the header names {twice[0]!r} twice; no row of the file can be read"
                    yield Fault(number, detail, delimiter.join(cells).encode()[:HEAD_BYTES], "damaged")
                    return
                continue
            if len(cells) != len(names):
                detail = f"{len(cells)} cells, expected {len(names)}"
                yield Fault(number, detail, delimiter.join(cells).encode("utf-8", "replace")[:HEAD_BYTES])
                continue
            row = {name: self._typed(name, cell) for name, cell in zip(names, cells, strict=True)}
            yield number, row, canonical(row)

    def _typed(self, name: str, cell: str) -> Any:
        """Return a cell's value; one that its column's type cannot hold stays text, of a type that does not fit."""
        kind = self.columns.get(name, "string")
        if kind == "string":
            return cell
        if not cell:
            return None
        try:
            return {"integer": int, "number": float}[kind](cell) if kind != "boolean" else _WORDS[cell.lower()]
        except (ValueError, KeyError):
            return cell


class _Lines:
    """Lines for the csv module; keeps those of the record that is being read, so that it can begin anew after one."""

    def __init__(self, file: Path, encoding: str, limit: int) -> None:
        self._lines = _numbered(file, encoding, limit)
        self._limit, self._again = limit, list[tuple[int, str]]()
        self.held: list[tuple[int, str]] = []
        self.faults: list[Fault] = []
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._read()
        self.held.append(line)
        self._size += len(line[1])
        if self._size > self._limit:
            raise csv.Error(f"a row has more than max_row_bytes = {self._limit}, or a quotation mark that never ends")
        return line[1]

    def _read(self) -> tuple[int, str]:
        for line in self._lines:
            if not isinstance(line, Fault):
                return line
            self.faults.append(line)
        raise StopIteration

    def done(self) -> None:
        """Forget the lines of a record that was read."""
        self.held, self._size = [], 0

    def retry(self) -> tuple[int, str]:
        """Take back all lines of a malformed record but its first, and return that."""
        first, *rest = self.held
        self._again += reversed(rest)
        self.done()
        return first


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str]] | Fault]:
    """Read (number of the first line, cells); after a malformed record, go on with the line after its first."""
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))
    while True:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                yield from _taken(lines)
                if cells and lines.held:
                    yield lines.held[0][0], cells
                lines.done()
            yield from _taken(lines)
            return
        except csv.Error as error:
            yield from _taken(lines)
            number, text = lines.retry()
            yield Fault(number, f"{error}", text.encode("utf-8", "replace")[:HEAD_BYTES])


def _taken(lines: _Lines) -> list[Fault]:
    faults, lines.faults = lines.faults, []
    return faults


def _numbered(file: Path, encoding: str, limit: int) -> Iterator[tuple[int, str] | Fault]:
    for part in read_lines(file, encoding, limit, ends=True):
        wrong = {fault.number for fault in part.faults}
        yield from part.faults
        for number, line in enumerate(part.lines, start=part.first):
            if number in wrong:
                continue
            try:
                yield number, line.decode()
            except UnicodeDecodeError as error:
                yield Fault(number, NOT_UTF8.format(error.start + 1), line[:HEAD_BYTES])
