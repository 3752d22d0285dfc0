"""Types of JSON values, and the Arrow columns that hold them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

if TYPE_CHECKING:
    import pyarrow as pa

TYPES = ("string", "integer", "number", "boolean", "array", "object")
"""JSON Schema's names, the likelier first: in a tie the first wins."""

# A split names a file of the stored dataset.
_SPLIT_NAME = re.compile(r"\w[\w.-]{0,63}")


_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}

Shape = tuple[tuple[str, ...], tuple[type, ...]]
"""The keys of a row, and the types of their values."""


def type_of(value: Any) -> str:
    """Return JSON Schema's name of a value's type; `null` for None."""
    return _NAMES.get(type(value), "null")


def shapes(rows: Iterable[Mapping[str, Any]]) -> Counter[Shape]:
    """Count the rows of each shape."""
    return Counter((tuple(row), tuple(map(type, row.values()))) for row in rows)


def _filled(value: Any) -> Any:
    """Put null for every empty object: Parquet has no type for it."""
    if isinstance(value, dict):
        return {name: _filled(item) for name, item in value.items()} or None
    return [_filled(item) for item in value] if isinstance(value, list) else value


@frozen
class Column:
    """A column of one type, which says what does not fit into it."""

    name: str
    kind: str
    arrow: pa.DataType

    def takes(self, kind: str) -> bool:
        """Say whether values of a type belong here."""
        return kind in ("null", self.kind) or (kind, self.kind) == ("integer", "number")

    def takes_type(self, kind: type) -> bool:
        """Say whether values of a Python type belong here."""
        return self.takes(_NAMES.get(kind, "null"))

    def misfit(self, value: Any) -> str | None:
        """Say why a value cannot be stored in this column; None where it can."""
        kind = type_of(value)
        if kind == "null":
            return None
        if not self.takes(kind):
            return f"{self.name} is of type {kind}, expected {self.kind}"
        if self.name == "split" and not (kind == "string" and _SPLIT_NAME.fullmatch(value)):
            return f"split is no plain name: {value!r}"
        return None if self._storable(value) else f"{self.name} holds a value that {self.arrow} cannot"

    def _storable(self, value: Any) -> bool:
        import pyarrow as pa

        if self.kind == "string" and value.isascii():
            return True
        try:
            pa.array([_filled(value)], type=self.arrow)
        except (pa.ArrowException, UnicodeEncodeError, OverflowError):  # half a surrogate pair, 2**70, a mixed list
            return False
        return True

    def array(self, values: list[Any]) -> pa.Array:
        """Return values that fit as an Arrow array; a row that names no split goes to `train`."""
        import pyarrow as pa

        if self.name == "split":
            values = [value or "train" for value in values]
        if self.kind in ("array", "object"):
            values = [_filled(value) for value in values]
        return pa.array(values, type=self.arrow)


@define
class Census:
    """Counts the types that occur in each column, and decides on one."""

    declared: Mapping[str, str]
    _counts: dict[str, Counter[str]] = field(factory=dict)
    _nested: dict[tuple[str, str], pa.DataType] = field(factory=dict)

    def add(self, rows: Sequence[Mapping[str, Any]], found: Mapping[Shape, int]) -> None:
        """Count rows, given the shapes that they have."""
        for (names, types), count in found.items():
            for name, kind in zip(names, types, strict=True):
                self._counts.setdefault(name, Counter())[_NAMES.get(kind, "null")] += count
        nested = {(n, k) for names, types in found for n, k in zip(names, types, strict=True) if k in (list, dict)}
        for name, kind in sorted(nested, key=str):
            key = (name, _NAMES[kind])
            before = self._nested.get(key)
            self._nested[key] = _widened(before, [row[name] for row in rows if type(row.get(name)) is kind])

    def decide(self) -> list[Column]:
        """Return the columns: of the declared type, or else of the type of most rows."""
        import pyarrow as pa

        majority = {name: _majority(counts) for name, counts in self._counts.items()}
        kinds = majority | dict(self.declared) | ({"split": "string"} if "split" in majority else {})
        flat = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
        return [
            Column(name, kind, flat.get(kind) or _without_null(self._nested.get((name, kind), pa.null())))
            for name, kind in kinds.items()
        ]


def _majority(counts: Counter[str]) -> str:
    """Choose the commonest type; integers and fractions together are numbers."""
    numbers = {"number": counts["number"] + counts["integer"], "integer": 0} if counts["number"] else {}
    merged = {**counts, **numbers}
    return max(TYPES, key=lambda kind: merged.get(kind, 0))


def _without_null(kind: pa.DataType) -> pa.DataType:
    """Put text where no value was ever seen: Arrow cannot cast a list of nulls, not even to its own type."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_without_null(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _without_null(field.type)) for field in kind])
    return kind


def _widened(known: pa.DataType | None, values: Sequence[Any]) -> pa.DataType:
    """Return a type for nested values that holds these too; as it was for those where none can."""
    import pyarrow as pa

    try:
        own = pa.array([_filled(value) for value in values]).type
        both = [pa.schema([("value", kind)]) for kind in (known, own) if kind is not None]
        return pa.unify_schemas(both, promote_options="permissive").field("value").type
    except (pa.ArrowException, UnicodeEncodeError, OverflowError):
        if len(values) > 1:
            for value in values:
                known = _widened(known, [value])
            return known
        return known if known is not None else pa.null()
