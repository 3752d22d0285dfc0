"""Messages written out: who says and thinks what, and which function is called with what.

What conversations are compared by, and what is read of one that was removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from mlm.message_texts import CALLS, CONTENT, NAME, PARTS, REFUSAL, THOUGHTS, texts

_MARKS = (*((field, "thought") for field in THOUGHTS), (REFUSAL, "refusal"))


def written(message: Mapping[str, Any] | None) -> str:
    """Return a message as `role: text`, then each tool call as `name({"key": "value"})`; a name follows the role.

    A thought stands before what is said as `(thought: text)`, by whatever name its field has, and so does a refusal.
    """
    if message is None:
        return ""
    marked = [f"({mark}: {text})" for field, mark in _MARKS for text in _said(message, field)]
    said = [text for field in (CONTENT, PARTS) for text in _said(message, field)]
    calls = [call for field in CALLS for call in _calls(message.get(field))]
    by = f" ({message[NAME]})" if message.get(NAME) else ""
    return f"{message.get('role') or ''}{by}: {' '.join([*marked, *said, *calls])}"


def as_json(value: Any) -> str:
    """Return JSON text, or a record of a column, as JSON with its keys in order; text that is no JSON stays."""
    try:
        found = json.loads(value) if isinstance(value, str) else _present(value)
        # Half a surrogate pair, which no column can hold, reads as a question mark.
        text = json.dumps(found, ensure_ascii=False, sort_keys=True, default=str)
        return text.encode("utf-8", "replace").decode()
    except (ValueError, RecursionError):
        return str(value)


def _said(message: Mapping[str, Any], field: str) -> list[str]:
    return [text for name, text in texts({field: message.get(field)}) if name is None and text]


def _calls(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            found = json.loads(value)
            value = found if isinstance(found, list | Mapping) else value
    if isinstance(value, list):
        for one in value:
            yield from _calls(one)
    elif isinstance(value, Mapping):
        function = value.get("function")
        called = function if isinstance(function, Mapping) else value
        arguments = called.get("arguments")
        yield f"{called.get('name') or ''}({'' if arguments is None else as_json(arguments)})"
    elif value is not None:
        yield as_json(value)


def _present(value: Any) -> Any:
    """Leave out nulls: the records of a column have all keys that any of them has."""
    if isinstance(value, Mapping):
        return {key: _present(item) for key, item in value.items() if item is not None}
    return [_present(item) for item in value] if isinstance(value, list) else value
