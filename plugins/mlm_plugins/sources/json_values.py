"""JSON values from bytes, by RFC 8259 and no laxer: orjson reads what is plain, Python's reader judges the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from math import isinf
from typing import Any, TypeVar

T = TypeVar("T")

MAX_DEPTH = 100
"""Arrays and objects within each other; more than this is no row of a dataset, and what stores it would overflow."""

_DEEP = f"it is nested deeper than {MAX_DEPTH}"
_LARGE = 1e15


class NotJson(ValueError):
    """Why some bytes are not one JSON value."""


def loads(raw: bytes) -> Any:
    """Return the value that bytes in UTF-8 hold; NotJson says why there is none.

    NaN and Infinity, a key that comes twice in an object, and what is nested deeper than MAX_DEPTH are refused. An
    integer of any size stays one.
    """
    import orjson

    try:
        value = orjson.loads(raw)
    except ValueError:
        return strictly(raw)
    return value if _is_plain(value, raw) else strictly(raw)


def _is_plain(value: Any, raw: bytes) -> bool:
    """Say whether orjson saw all that the bytes hold: it takes the last of two equal keys, and floats for large ints.

    Each string has two quotation marks, and those within it: a key that comes twice leaves some over.
    """
    found = _quotes(value, 0)
    return raw.count(b'"') == found and not (b"\\" in raw and b"\\u0022" in raw)


def _quotes(value: Any, depth: int) -> int:
    """Count the quotation marks of all strings within; -1 where a number is that large, or something that deep."""
    if depth >= MAX_DEPTH:
        return -1
    count = 0
    items: Iterable[Any] = value if type(value) is list else (value,)
    if type(value) is dict:
        for key in value:
            count += 2 + key.count('"')
        items = value.values()
    for item in items:
        kind = type(item)
        if kind is str:
            count += 2 + item.count('"') if '"' in item else 2
        elif kind is dict or kind is list:
            within = _quotes(item, depth + 1)
            if within < 0:
                return -1
            count += within
        elif kind is float and abs(item) > _LARGE:
            return -1
    return count


def strictly(raw: bytes) -> Any:
    """Return the value as Python's reader sees it; NotJson says what is wrong, and where."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise NotJson(f"byte {error.start + 1} is not UTF-8; save it as UTF-8, or name its encoding") from None
    value = decoded(_DECODER.decode, text)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and is_deep(value):
        raise NotJson(_DEEP)
    return value


def is_deep(value: Any) -> bool:
    """Say whether a value is nested deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = (
            [
                item
                for one in level
                for item in (one.values() if isinstance(one, dict) else one)
                if isinstance(item, dict | list)
            ]
            if isinstance(level[0], dict | list)
            else []
        )
        if not level:
            return False
    return True


def decoded(decode: Callable[..., T], *arguments: Any) -> T:
    """Call a method of the strict decoder, and tell NotJson for whatever it raises."""
    try:
        return decode(*arguments)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at column {error.colno}") from None
    except RecursionError:
        raise NotJson(_DEEP) from None
    except ValueError as error:
        raise NotJson(str(error)) from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if isinf(value):
        raise ValueError(f"{number} is beyond what a double holds")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} comes twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique)
raw_decode = _DECODER.raw_decode


def canonical(value: Any) -> bytes:
    """Return bytes that are equal for equal values, whatever the order of keys."""
    import orjson

    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # Integers beyond 64 bits, half a surrogate pair, and deep nesting.
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
        return text.encode("utf-8", "surrogatepass")
