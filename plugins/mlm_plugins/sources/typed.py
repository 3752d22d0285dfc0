"""Rows of JSON values become columns of one type each; a row that has another schema cannot be read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from attrs import define
from attrs.validators import deep_mapping, in_, instance_of

import mlm
from mlm_plugins.sources.columns import TYPES, Census, Column, Shape, shapes, type_of
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.json_values import canonical
from mlm_plugins.sources.reading import Chunk, Files

RENAMED = {"row_id": "original_row_id", "source": "original_source"}
"""Keys of a file that would hide mlm's own columns are stored under another name."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_typed = deep_mapping(instance_of(str), in_(TYPES))


class _OtherColumns(Exception):
    """What was written so far has other columns than all rows together ask for."""


@define(kw_only=True)
class TypedFiles(Files):
    """Files of rows whose columns have the type that `columns` declares, or else that of most rows.

    A row that holds a value of another type is one that cannot be read. A missing key is null. The rows are written as
    the first ones suggest while all are counted; where the count decides otherwise, they are read once more. They are
    never held in memory. The rows' own keys `row_id` and `source` become `original_row_id` and `original_source`.
    """

    stopping: ClassVar[tuple[str, ...]] = (*Files.stopping, "schema")

    columns: dict[str, str] = mlm.setting(
        factory=dict, validator=_typed, help="types of columns: string, integer, number, boolean, array or object"
    )

    def chunks(self, file: Path) -> Iterator[Chunk]:
        """Read a file's rows, as dictionaries where they are objects."""
        raise NotImplementedError

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        files = self.files(context)
        census = Census(self.columns)
        try:
            return self._written(files, census, None, context)
        except _OtherColumns:
            shutil.rmtree(context.folder)
            context.folder.mkdir()
        return self._written(files, Census(self.columns), census.decide(), context)

    def _written(
        self, files: list[tuple[str, Path]], census: Census, columns: list[Column] | None, context: mlm.Context
    ) -> mlm.Dataset:
        """Write all rows in these columns, or else in the first chunk's, where the census of all agrees."""
        certain, ids, other = columns is not None, RowIds(), False
        with context.writer() as writer:
            for name, file in files:
                for chunk in self.chunks(file):
                    rows, found = _sorted_out(chunk)
                    if not certain:
                        census.add(rows.values, found)
                        decided = census.decide()
                        columns = decided if columns is None else columns
                        other = other or decided != columns
                    if not other:
                        rows, batch = _fitted(rows, found, columns or [])
                        removed = self.removals(name, file, rows.faults, ids)
                        writer.write(_identified(batch, rows, name, ids, removed))
            if other:
                raise _OtherColumns
        return writer.dataset


def _sorted_out(chunk: Chunk) -> tuple[Chunk, dict[Shape, int]]:
    """Set aside what is no object, and make way for mlm's own columns."""
    if any(type(value) is not dict for value in chunk.values):
        chunk = chunk.set_aside([None if type(value) is dict else _no_object(value) for value in chunk.values])
    found = shapes(chunk.values)
    if any(_SURROGATE.search(name) for names, _ in found for name in names if not name.isascii()):
        bad = [any(_SURROGATE.search(name) for name in value) for value in chunk.values]
        chunk = chunk.set_aside(["half a surrogate pair is in a key" if one else None for one in bad])
        found = shapes(chunk.values)
    if any(name in RENAMED for names, _ in found for name in names):
        chunk.values = [{RENAMED.get(name, name): item for name, item in row.items()} for row in chunk.values]
        found = shapes(chunk.values)
    return chunk, found


def _no_object(value: Any) -> str:
    return f"the line holds {type_of(value)}, expected an object whose keys are text"


def _fitted(chunk: Chunk, found: dict[Shape, int], columns: list[Column]) -> tuple[Chunk, dict[str, Any]]:
    """Return the rows that fit and their columns; the others are among the faults.

    Whole columns are tried first, and rows one by one only where that fails.
    """
    made = _arrays(chunk.values, columns) if _all_fit(found, columns) else None
    if made is None:
        by_name = {column.name: column for column in columns}
        chunk = chunk.set_aside([_misfit(row, by_name) for row in chunk.values])
        made = _arrays(chunk.values, columns)
        assert made is not None, "rows that fit one by one fit together"
    return chunk, made


def _all_fit(found: dict[Shape, int], columns: list[Column]) -> bool:
    by_name = {column.name: column for column in columns}
    return "split" not in by_name and all(
        by_name[name].takes_type(kind) for names, types in found for name, kind in zip(names, types, strict=True)
    )


def _arrays(rows: list[dict[str, Any]], columns: list[Column]) -> dict[str, Any] | None:
    import pyarrow as pa

    try:
        return {column.name: column.array([row.get(column.name) for row in rows]) for column in columns}
    except (pa.ArrowException, UnicodeEncodeError, OverflowError):
        return None


def _misfit(row: dict[str, Any], by_name: dict[str, Column]) -> str | None:
    """Say why a row does not have the schema of its file."""
    return next((detail for name, value in row.items() if (detail := by_name[name].misfit(value))), None)


def _identified(
    arrays: dict[str, Any], chunk: Chunk, name: str, ids: RowIds, removed: tuple[mlm.Removal, ...]
) -> mlm.Batch:
    import pyarrow as pa

    own = {
        "row_id": pa.array(ids.of([canonical(row) for row in chunk.values]), pa.string()),
        "source": pa.array([f"{name}:{number}" for number in chunk.numbers], pa.string()),
    }
    return mlm.Batch(pa.table(own | arrays), removed)
