"""Rows in words: what a value says on lines of its own, and in which columns two rows differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from mlm.batches import ROW_ID, SOURCE, TEXT_COLUMNS
from mlm.message_texts import CONTENT, texts

_CALLS = ("tool_calls", "function_call")
"""Fields of a message that hold calls of tools."""


def worded(value: Any) -> str:
    """Write a value as text: a message as `role: content` with its calls as `name(arguments)`, a record as JSON."""
    if _is_message(value):
        return f"{value['role']}: {' '.join(_said(value))}".rstrip()
    if isinstance(value, list) and value and all(map(_is_message, value)):
        return "\n".join(map(worded, value))
    if isinstance(value, Mapping | list):
        return json.dumps(_filled(value), ensure_ascii=False, default=str)
    return "" if value is None else str(value)


def words_of(row: Mapping[str, Any]) -> str:
    """Return what the text columns of a row say, each on lines of its own."""
    return "\n".join(worded(row[name]) for name in TEXT_COLUMNS if row.get(name))


def because(*parts: str | None) -> str:
    """Join transform, reason and detail; one that the next names again is said once: `pii: 1 email`."""
    told = [part for part in parts if part]
    both = zip_longest(told, told[1:], fillvalue="")
    return ": ".join(part for part, after in both if not f"{after} ".startswith(f"{part} "))


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return what each column that both rows have held before and holds after, where that is not the same."""
    both = [(name, before[name], after[name]) for name in after if name in before and name not in (ROW_ID, SOURCE)]
    # By what is written: a number that is none is not equal to itself.
    return {name: (worded(was), worded(now)) for name, was, now in both if repr(was) != repr(now)}


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and "role" in value and CONTENT in value


def _said(message: Mapping[str, Any]) -> Iterator[str]:
    yield from (text for name, text in texts(message) if name is None and text)
    for calls in map(message.get, _CALLS):
        yield from map(_called, calls if isinstance(calls, list) else [calls] if calls else ())


def _called(call: Any) -> str:
    made = call.get("function") or call if isinstance(call, Mapping) else None
    if not isinstance(made, Mapping):
        return worded(call)
    return f"{made.get('name')}({worded(made.get('arguments'))})"


def _filled(value: Any) -> Any:
    """Leave out what is null in records: Arrow gives every record the keys of all."""
    if isinstance(value, Mapping):
        return {key: _filled(part) for key, part in value.items() if part is not None}
    return [_filled(part) for part in value] if isinstance(value, list) else value
