"""Rows of text alone: what plain text and Markdown share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define

import mlm
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.lines import HEAD_BYTES, Fault, read_lines
from mlm_plugins.sources.reading import Files, sized

NOT_UTF8 = "byte {} is not UTF-8; save it as UTF-8, or name its encoding"
Piece = tuple[int, Mapping[str, str]]


@define(kw_only=True)
class TextFiles(Files):
    """Files whose rows are pieces of text: a mapping of columns, all of them strings, of which one is `text`."""

    encoding: str = mlm.setting("utf-8", help="encoding of files that have no byte order mark")

    def pieces(self, lines: Iterator[tuple[int, str] | Fault]) -> Iterator[Piece | Fault]:
        """Make pieces of a file's (number, line); faults go through."""
        raise NotImplementedError

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        ids = RowIds()
        with context.writer() as writer:
            for name, file in self.files(context):
                for chunk in sized(self._rows(file)):
                    removed = self.removals(name, file, chunk.faults, ids)
                    columns: dict[str, Any] = {
                        "row_id": pa.array(ids.of(chunk.raws), pa.string()),
                        "source": pa.array([f"{name}:{number}" for number in chunk.numbers], pa.string()),
                    }
                    for column in chunk.values[0] if chunk.values else ():
                        columns[column] = pa.array([piece[column] for piece in chunk.values], pa.string())
                    writer.write(mlm.Batch(pa.table(columns), removed))
        return writer.dataset

    def _rows(self, file: Path) -> Iterator[tuple[int, Mapping[str, str], bytes] | Fault]:
        for piece in self.pieces(self._lines(file)):
            if isinstance(piece, Fault):
                yield piece
                continue
            number, columns = piece
            raw = columns["text"].encode()
            if len(raw) > self.max_row_bytes:
                detail = f"{len(raw)} bytes are more than max_row_bytes = {self.max_row_bytes}"
                yield Fault(number, detail, raw[:HEAD_BYTES])
            else:
                yield number, columns, raw

    def _lines(self, file: Path) -> Iterator[tuple[int, str] | Fault]:
        for part in read_lines(file, self.encoding, self.max_row_bytes):
            yield from part.faults
            for number, line in enumerate(part.lines, start=part.first):
                try:
                    yield number, line.decode()
                except UnicodeDecodeError as error:
                    yield Fault(number, NOT_UTF8.format(error.start + 1), line[:HEAD_BYTES])
