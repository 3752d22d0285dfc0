"""JSON lines, one object a line; and whole JSON documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from attrs import define

import mlm
from mlm_plugins.sources.json_documents import read_documents
from mlm_plugins.sources.json_values import NotJson, loads
from mlm_plugins.sources.lines import HEAD_BYTES, Fault, read_lines
from mlm_plugins.sources.mistaken import ARRAY, holds_array, instead
from mlm_plugins.sources.reading import Chunk, bare, sized
from mlm_plugins.sources.typed import TypedFiles


@define(kw_only=True)
class Jsonl(TypedFiles):
    """Reads JSON lines (.jsonl, .ndjson) and JSON documents (.json: an array's items, or one object).

    A column has the type that `columns` declares, or else that of most rows; a row that holds a value of another type
    cannot be read, and a missing key is null.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json")

    encoding: str = mlm.setting("utf-8", help="encoding of files that have no byte order mark")

    def chunks(self, file: Path) -> Iterator[Chunk]:
        return json_chunks(file, self.encoding, self.max_row_bytes)


def json_chunks(file: Path, encoding: str, limit: int) -> Iterator[Chunk]:
    """Read the values of a file of JSON: by line, or where it is named .json, by item of its array."""
    if bare(file.name).endswith(".json"):
        yield from sized(read_documents(file, encoding, limit))
        return
    for part in read_lines(file, encoding, limit):
        chunk = Chunk(faults=part.faults)
        for number, line in enumerate(part.lines, start=part.first):
            try:
                value = loads(line)
            except NotJson as error:
                if line.strip():
                    told = instead(file.name, line, str(error)) if number == 1 else str(error)
                    chunk.faults.append(Fault(number, told, line[:HEAD_BYTES]))
                continue
            if number == 1 and holds_array(value):
                chunk.faults.append(Fault(number, ARRAY, line[:HEAD_BYTES]))
                continue
            chunk.numbers.append(number)
            chunk.values.append(value)
            chunk.raws.append(line)
        yield chunk
