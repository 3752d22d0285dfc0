"""Whom a row is about: a name, or a record or list that holds names, as logs of events have them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

SUBJECT_COLUMNS = ("subject", "user", "user_id")
"""Columns that say whom a row is about: what `mlm erase --subject` looks for."""
AROUND = ("extra", "metadata", "messages")
"""Columns whose records, in Arrow's types or as JSON, may have keys of those names."""


def as_name(values: Iterable[Any]) -> str:
    """Return as text what a row's columns say of its person: one name as it is, all else as JSON, nothing as ''."""
    told = [value for value in values if value is not None]
    if len(told) == 1 and not isinstance(told[0], dict | list):
        return _name(told[0])
    return json.dumps(told, default=str) if told else ""


def names_in(value: Any) -> Iterator[str]:
    """Return every name that a value holds, however deep; text that is JSON is looked into too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif one is not None:
            yield _name(one)
            if isinstance(one, str) and one.startswith(("{", "[")):
                with suppress(ValueError, RecursionError):
                    waiting.append(json.loads(one))


def _name(value: Any) -> str:
    """Return a name as text; a number with a missing one beside it in its column became a fraction on its way."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def says_whom(path: Sequence[str]) -> bool:
    """Say whether what stands under those keys, the first a column's name, is what a row says of its person."""
    return next((key for key in path if key not in AROUND), "") in SUBJECT_COLUMNS


def said_in(row: Mapping[str, Any]) -> Iterator[Any]:
    """Return what a row says of its person: its SUBJECT_COLUMNS, and keys of their names in what is AROUND."""
    for name in (*SUBJECT_COLUMNS, *AROUND):
        if row.get(name) is not None:
            yield from [row[name]] if name in SUBJECT_COLUMNS else _said_around(row[name])


def said(table: pa.Table) -> list[list[Any]]:
    """Return what each row of a table says of its person; of messages, only what is beside their texts is read."""
    found: list[list[Any]] = [[] for _ in range(table.num_rows)]
    for name in (*SUBJECT_COLUMNS, *AROUND):
        if name in table.column_names:
            for row, value in _values(table.column(name).combine_chunks(), around=name in AROUND):
                found[row] += said_in({name: value})
    return found


def _said_around(value: Any) -> Iterator[Any]:
    if isinstance(value, str) and any(f'"{name}"' in value for name in SUBJECT_COLUMNS):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    for record in value if isinstance(value, list) else [value]:
        if isinstance(record, dict):
            yield from said_in(record)


def _values(column: pa.Array, *, around: bool) -> Iterator[tuple[int, Any]]:
    """Read (row, value) where there is one; of records in lists, their fields that may say something."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (around and listed and pa.types.is_struct(kind.value_type)):
        places = pc.indices_nonzero(pc.is_valid(column))
        yield from zip(places.to_pylist(), column.take(places).to_pylist(), strict=True)
        return
    records, rows = pc.list_flatten(column), pc.list_parent_indices(column)
    for name in (*SUBJECT_COLUMNS, *AROUND):
        if kind.value_type.get_field_index(name) >= 0:
            for place, value in _values(pc.struct_field(records, name), around=name in AROUND):
                yield rows[place].as_py(), {name: value}
