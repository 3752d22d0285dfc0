"""How each record lies in its table: a column a field, in the order of the fields.

Mappings and tuples are canonical JSON text. An id of 0 means 'not stored yet' and becomes the next row id.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan, nan
from operator import attrgetter
from os import PathLike, fspath
from typing import Any, Generic, TypeVar

from attrs import asdict, fields, has

R = TypeVar("R")
Decode = Callable[[Any], Any]
as_json: Decode = json.loads


def number(value: float | None) -> float:
    """Read a number back; SQLite keeps NaN (a diverged loss) as NULL."""
    return nan if value is None else value


def as_tuple(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def canonical(value: Any) -> str:
    """Write JSON that is equal for equal values: sorted keys, no spaces, ASCII."""
    return _ENCODER.encode(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, PathLike):
        return fspath(value)
    if has(type(value)):
        return asdict(value)
    raise TypeError(f"a {type(value).__name__} cannot be stored as JSON: {value!r}")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain)


class Table(Generic[R]):
    """One record class and the SQL that stores and finds it."""

    def __init__(self, name: str, record: type[R], **codecs: Decode) -> None:
        columns = {a.name: str(a.type) for a in fields(record)}  # type: ignore[arg-type]
        names = list(columns)
        self.name = name
        self.record = record
        self._names = names
        self._types = [_TYPES.get(kind, frozenset()) for kind in columns.values()]
        self.columns = ", ".join(f'{name}."{n}"' for n in names)
        self.insert_sql = f"INSERT INTO {name} ({_quoted(names)}) VALUES ({', '.join('?' * len(names))})"
        self._values: Callable[[R], tuple[Any, ...]] = attrgetter(*names)
        self._decoders = [(names.index(n), decode) for n, decode in codecs.items()]
        self._encoded = [names.index(n) for n, decode in codecs.items() if decode is not number]
        self._id = names.index("id") if columns.get("id") == "int" else None

    def row(self, record: R) -> Sequence[Any]:
        """Turn a record into the values of its row."""
        if not self._encoded and self._id is None:
            return self._values(record)
        values = list(self._values(record))
        for index in self._encoded:
            values[index] = canonical(values[index])
        if self._id is not None and not values[self._id]:
            values[self._id] = None
        return values

    def load(self, row: Sequence[Any]) -> R:
        """Turn a row back into its record."""
        if not self._decoders:
            return self.record(*row)
        values = list(row)
        for index, decode in self._decoders:
            values[index] = decode(values[index])
        return self.record(*values)

    def insert(self, connection: sqlite3.Connection, record: R) -> int:
        """Store one record and return the id of its row."""
        return connection.execute(self.insert_sql, self.row(record)).lastrowid or 0

    def insert_all(self, connection: sqlite3.Connection, records: Iterable[R], conflict: str = "") -> None:
        """Store many records with one prepared statement."""
        connection.executemany(self.insert_sql + conflict, map(self.row, records))

    def columns_of(self, records: Sequence[R], owner: str, number: int) -> list[list[Any]]:
        """Turn records of plain values into the columns of their rows; that of their owner holds its number."""
        return [
            [number] * len(records) if name == owner else list(map(attrgetter(name), records)) for name in self._names
        ]

    def keeps(self, columns: Sequence[Sequence[Any]]) -> bool:
        """Say whether SQLite keeps these columns as they are: each value has its column's type, and none is NaN."""
        for column, types in zip(columns, self._types, strict=True):
            if not types.issuperset(map(type, column)):
                return False
            if float in types and isnan(sum(filter(None, column))):
                return False
        return True

    def select(self, tail: str = "") -> str:
        """Write the query for whole records; `tail` is what follows the table's name."""
        return f"SELECT {self.columns} FROM {self.name} {tail}"


def where(limit: int | None = None, order: str = "", **filters: Any) -> tuple[str, list[Any]]:
    """Write `WHERE a = ? ... ORDER BY ... LIMIT ?`, leaving out each filter that is None."""
    given = {name: value for name, value in filters.items() if value is not None}
    sql = "WHERE " + " AND ".join(f'"{name}" = ?' for name in given) if given else ""
    parameters = list(given.values())
    if order:
        sql += f" ORDER BY {order}"
    if limit is not None:
        sql += " LIMIT ?"
        parameters.append(limit)
    return sql, parameters


_TYPES: Mapping[str, frozenset[type]] = {
    "str": frozenset([str]),
    "int": frozenset([int]),
    "float": frozenset([float]),
    "float | None": frozenset([float, type(None)]),
}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
