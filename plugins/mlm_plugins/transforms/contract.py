"""What a contract says of one column, and how a column fares by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen
from attrs.validators import and_, deep_mapping, ge, in_, instance_of, le, max_len, min_len, optional

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

TYPES = ("", "string", "integer", "number", "boolean", "list", "struct")
_RANGE: Any = and_(min_len(2), max_len(2))
_SHARE: Any = optional(and_(ge(0), le(1)))


@frozen(kw_only=True)
class Column:
    """What must hold of a column; numbers are judged as they are, texts by their length in characters.

    Attributes:
        required: Every row has a value, and a text is not blank.
        values: The values that are allowed.
        mean: Between which two numbers the mean lies.
        quantiles: The same for quantiles: `{ "0.5" = [10, 200] }`.
        shares: The same for the share of rows that have a value: `{ toxic = [0.1, 0.5] }`.
    """

    type: str = field(default="", validator=in_(TYPES))
    required: bool = False
    values: list[str] = field(factory=list)
    min: float | None = None
    max: float | None = None
    max_null_share: float | None = field(default=None, validator=_SHARE)
    mean: list[float] | None = field(default=None, validator=optional(_RANGE))
    quantiles: dict[str, list[float]] = field(factory=dict, validator=deep_mapping(instance_of(str), _RANGE))
    shares: dict[str, list[float]] = field(factory=dict, validator=deep_mapping(instance_of(str), _RANGE))


@define
class Watched:
    """A column on its way through: rows are judged at once, statistics at the end."""

    name: str
    column: Column
    _rows: int = 0
    _nulls: int = 0
    _numbers: list[NDArray[np.float32]] = field(factory=list)
    _counts: Counter[str] = field(factory=Counter)

    def wrong_type(self, kind: pa.DataType) -> str | None:
        """Say that the column is of another type than the contract is for; one of nulls alone is of any."""
        import pyarrow.types as types

        column = self.column
        if types.is_null(kind):
            return None
        if column.type and not _is_of(kind, column.type):
            return f"'{self.name}' is of type {kind}, expected {column.type}"
        if self._is_measured and not (_is_of(kind, "number") or _is_of(kind, "string")):
            return f"'{self.name}' is of type {kind}, which has no min, max, mean or quantiles"
        return None

    @property
    def _is_measured(self) -> bool:
        column = self.column
        return column.min is not None or column.max is not None or bool(column.mean or column.quantiles)

    def judge(self, values: pa.ChunkedArray) -> Iterator[tuple[str, list[int], list[str]]]:
        """Yield each broken rule with the places of the rows that break it, and why each does."""
        import pyarrow.compute as pc

        column = self.column
        self._rows += len(values)
        self._nulls += values.null_count
        if column.required:
            yield f"'{self.name}' is empty", places_of(is_blank(values)), []
        if column.values or column.shares:
            plain = pc.cast(values, "string")
            if column.values:
                bad = pc.invert(pc.or_kleene(pc.is_in(plain, _strings(column.values)), pc.is_null(plain)))
                yield f"'{self.name}' is none of {', '.join(column.values)}", *_with_values(plain, bad)
            self._counts.update(value for value in plain.to_pylist() if value in column.shares)
        if self._is_measured:
            numbers = pc.cast(_numbers(values), "float64")
            for sign, limit, compare in (("below", column.min, pc.less), ("above", column.max, pc.greater)):
                if limit is not None:
                    bad = pc.fill_null(compare(numbers, limit), False)
                    yield f"{self._quantity(values)} is {sign} {limit:g}", *_with_values(numbers, bad)
            if column.mean or column.quantiles:
                self._numbers.append(pc.drop_null(numbers).to_numpy().astype("float32"))

    def statistics(self) -> Iterator[str]:
        """Say which statistics of the whole column are outside of what the contract allows."""
        import numpy as np

        column, rows = self.column, max(self._rows, 1)
        if column.max_null_share is not None and self._nulls > column.max_null_share * rows:
            yield f"'{self.name}' is null in a share of {self._nulls / rows:.4g}, at most {column.max_null_share:g}"
        for value, (low, high) in column.shares.items():
            share = self._counts[value] / rows
            if not low <= share <= high:
                yield f"'{value}' has a share of {share:.4g} in '{self.name}', expected {low:g} to {high:g}"
        numbers = np.concatenate(self._numbers) if self._numbers else np.empty(0, np.float32)
        wanted = {f"quantile {q}": (float(q), bounds) for q, bounds in column.quantiles.items()}
        found = {name: (np.quantile(numbers, q) if numbers.size else np.nan, b) for name, (q, b) in wanted.items()}
        if column.mean:
            found["mean"] = (numbers.mean(dtype=np.float64) if numbers.size else np.nan, column.mean)
        for name, (number, (low, high)) in found.items():
            if not low <= number <= high:
                yield f"the {name} of '{self.name}' is {number:.4g}, expected {low:g} to {high:g}"

    def _quantity(self, values: pa.ChunkedArray) -> str:
        return f"the length of '{self.name}'" if _is_of(values.type, "string") else f"'{self.name}'"


def is_blank(values: pa.ChunkedArray) -> Any:
    """Return which values are null, or text of nothing but white space."""
    import pyarrow.compute as pc

    if not _is_of(values.type, "string"):
        return pc.is_null(values)
    return pc.fill_null(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(values)), 0), True)


def _is_of(kind: pa.DataType, name: str) -> bool:
    import pyarrow.types as types

    tests = {
        "string": lambda t: types.is_string(t) or types.is_large_string(t),
        "integer": types.is_integer,
        "number": lambda t: types.is_integer(t) or types.is_floating(t),
        "boolean": types.is_boolean,
        "list": lambda t: types.is_list(t) or types.is_large_list(t),
        "struct": types.is_struct,
    }
    return bool(tests[name](kind))


def _numbers(values: pa.ChunkedArray) -> Any:
    import pyarrow.compute as pc

    return pc.utf8_length(values) if _is_of(values.type, "string") else values


def _strings(values: list[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())


def places_of(flags: Any) -> list[int]:
    """Return where flags are set."""
    import pyarrow.compute as pc

    return list(pc.indices_nonzero(flags).to_pylist())


def _with_values(values: Any, flags: Any) -> tuple[list[int], list[str]]:
    """Return the places of flagged values, and the values, cut short."""
    places = places_of(flags)
    found = values.filter(flags).to_pylist()
    return places, [f"{value:g}" if isinstance(value, float) else value[:40] for value in found]
