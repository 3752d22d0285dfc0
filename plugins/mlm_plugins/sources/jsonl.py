"""JSON lines, one object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import define
from attrs.validators import deep_mapping, in_, instance_of

import mlm
from mlm_plugins.sources.columns import TYPES, Census, Column, type_of
from mlm_plugins.sources.lines import RowIds, chunks, digest, existing, numbered_lines

BATCH_ROWS = 4096
# Keys of the file that would hide mlm's own columns are stored under another name.
RENAMED = {"row_id": "original_row_id", "source": "original_source"}

_SURROGATE = re.compile("[\ud800-\udfff]")
_typed = deep_mapping(instance_of(str), in_(TYPES))


@define(kw_only=True)
class Jsonl:
    """Reads JSON lines (.jsonl, .jsonl.gz), and sets rows of another schema aside.

    A column has the type that `columns` declares, or else that of most rows. A missing key is null. The file is read
    twice, once for the types and once for the rows, and never held in memory. The file's own keys `row_id` and
    `source` become `original_row_id` and `original_source`.
    """

    path: Path = mlm.setting(help="the file to read, in UTF-8")
    columns: dict[str, str] = mlm.setting(
        factory=dict, validator=_typed, help="types of columns: string, integer, number, boolean, array or object"
    )

    @mlm.hookimpl
    def mlm_version(self, context: mlm.Context) -> str:
        return digest(existing(self.path, context.step))

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        existing(self.path, context.step)
        census = Census(self.columns)
        for _, _, row in self._rows():
            if _is_row(row):
                census.add(row)
        columns, ids = census.decide(), RowIds()
        with context.writer() as writer:
            for chunk in chunks(self._rows(), BATCH_ROWS):
                writer.write(self._batch(chunk, columns, ids))
        return writer.dataset

    def _rows(self) -> Iterator[tuple[int, str, Any]]:
        """Read (line number, line, value); DataError where a line is no JSON."""
        for number, line in numbered_lines(self.path):
            try:
                yield number, line, _renamed(json.loads(line, parse_constant=_refuse))
            except json.JSONDecodeError as error:
                raise mlm.DataError(f"{self.path}, line {number}: {error.msg} at column {error.colno}") from None
            except (ValueError, RecursionError) as error:
                raise mlm.DataError(f"{self.path}, line {number}: {error}") from None

    def _batch(self, chunk: list[tuple[int, str, Any]], columns: list[Column], ids: RowIds) -> mlm.Batch:
        import pyarrow as pa

        kept: list[tuple[str, str, dict[str, Any]]] = []
        removals: list[mlm.Removal] = []
        for number, line, row in chunk:
            row_id, source = ids.next(_canonical(row)), f"{self.path.name}:{number}"
            if detail := _misfit(row, columns):
                removals.append(mlm.Removal(row_id, source, "schema", detail, line[:2000]))
            else:
                kept.append((row_id, source, row))
        arrays = {
            "row_id": pa.array([row_id for row_id, _, _ in kept], pa.string()),
            "source": pa.array([source for _, source, _ in kept], pa.string()),
        }
        arrays |= {column.name: column.array([row.get(column.name) for _, _, row in kept]) for column in columns}
        return mlm.Batch(pa.table(arrays), tuple(removals))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _renamed(value: Any) -> Any:
    if not isinstance(value, dict) or RENAMED.keys().isdisjoint(value):
        return value
    return {RENAMED.get(name, name): item for name, item in value.items()}


def _canonical(row: Any) -> bytes:
    text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _is_row(value: Any) -> bool:
    """Whether it is an object whose keys can name columns (JSON can escape half a surrogate pair)."""
    return isinstance(value, dict) and not any(_SURROGATE.search(name) for name in value)


def _misfit(row: Any, columns: list[Column]) -> str | None:
    """Say why a row does not have the schema of its file."""
    if not _is_row(row):
        return f"the line holds {type_of(row)}, expected an object whose keys are text"
    return next((detail for column in columns if (detail := column.misfit(row.get(column.name)))), None)
