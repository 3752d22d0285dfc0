"""The texts within a value: what stands in its records and lists, or in JSON text, at any depth.

A text that is put in another's place leaves all round it as it was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

Path = tuple[str, ...]
"""Keys that a text stands under, the outermost first; of a key, none."""
Visit = Callable[[Path, str | None], str | None]
"""Takes a text with its path, and returns what takes its place."""

_TOKEN = re.compile(r'(?P<string>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?|(?P<number>-?\d[\d.eE+-]*)|[{}]')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


def in_records(value: Any, visit: Visit, path: Path = (), *, whole: bool = False) -> Any:
    """Visit the strings of nested records; numbers keep the type that their column has.

    Args:
        whole: The keys of maps and of JSON objects are texts too, and strings that are JSON are looked into.
    """
    if isinstance(value, str):
        return in_json(value, visit, path, whole=True) if whole and value[:1] in ("{", "[") else visit(path, value)
    if isinstance(value, Mapping):
        return {key: in_records(item, visit, (*path, str(key)), whole=whole) for key, item in value.items()}
    if isinstance(value, tuple):  # A map's key and what stands under it, as Arrow gives them.
        key, item = value
        named = visit((), key) if whole and isinstance(key, str) else key
        return named, in_records(item, visit, (*path, str(key)), whole=whole)
    return [in_records(item, visit, path, whole=whole) for item in value] if isinstance(value, list) else value


def in_json(text: str, visit: Visit, path: Path = (), *, whole: bool = False) -> str | None:
    """Visit the strings and numbers of JSON text; what is no JSON is one text.

    Args:
        whole: As of `in_records`. A key that becomes another's gets a number after it.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return visit(path, text)
    keys: list[str] = []
    taken: list[set[str]] = []

    def renamed(key: str) -> str:
        new = visit((), key) or ""
        if new != key and new in taken[-1]:
            new = next(one for number in count(2) if (one := f"{new} {number}") not in taken[-1])
        taken[-1].add(new)
        return new

    def put(match: re.Match[str]) -> str:
        literal, number = match[0], match["number"]
        if literal == "{":
            keys.append("")
            taken.append(set())
        elif literal == "}":
            keys.pop()
            taken.pop()
        elif match["colon"]:
            keys[-1] = was = _decoded(match["string"])
            if whole and (new := renamed(was)) != was:
                return json.dumps(new, ensure_ascii=False) + match["colon"]
        else:
            under = (*path, *keys)
            was = number or _decoded(literal)
            put_in = visit(under, was) if number else in_records(was, visit, under, whole=whole)
            if put_in != was:
                is_number = number and put_in and _NUMBER.fullmatch(put_in)
                return str(put_in) if is_number else json.dumps(put_in, ensure_ascii=False)
        return literal

    return _TOKEN.sub(put, text)


def _decoded(literal: str) -> str:
    """Return what a JSON string says; half a surrogate pair, which no column can hold, reads as a question mark."""
    return literal[1:-1] if "\\" not in literal else str(json.loads(literal)).encode("utf-8", "replace").decode()
