"""Rows in words: what a value says on lines of its own, and in which columns two rows differ."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from mlm.batches import ROW_ID, SOURCE, TEXT_COLUMNS
from mlm.message_texts import CONTENT
from mlm.transcripts import as_json, written


def worded(value: Any) -> str:
    """Write a value as text: a message as `role: content` with its calls as `name(arguments)`, a record as JSON."""
    if _is_message(value):
        return written(value).rstrip()
    if isinstance(value, list) and value and all(map(_is_message, value)):
        return "\n".join(map(worded, value))
    if isinstance(value, Mapping | list):
        return as_json(value)
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
