"""The texts of one message: its content or the text parts of it, its name, its thoughts, and what tools are handed.

Arguments are JSON, as OpenAI has them, or records: what stands under their keys are texts, the keys are not. A text
that is put in another's place leaves all round it as it was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

CONTENT, NAME, PARTS = "content", "name", "parts"
"""Fields of a message: what is said, who says it, and parts that are kept as JSON text."""
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Fields of a message that hold what was thought before it was said, by the names that servers give them."""
REFUSAL = "refusal"
"""Field of a message that holds why nothing else is said."""
CALLS = ("tool_calls", "function_call")
"""Fields of a message that hold calls of tools, and the one call of OpenAI's older format."""
_OTHERS = (*THOUGHTS, REFUSAL)
MORE = (NAME, *_OTHERS, PARTS, *CALLS)
"""Fields beside its content that a message's texts may be in."""
Text = tuple[str | None, str | None]
"""Key that a name or an argument of a tool call stands under, empty without any, None for what is said; text."""

_SAID = ("", "text", CONTENT, *_OTHERS)
"""Keys of what is said in a part; other keys hold types, and images or sound."""
_TOKEN = re.compile(r'(?P<string>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?|(?P<number>-?\d[\d.eE+-]*)|\}')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


def texts(message: Mapping[str, Any] | None) -> list[Text]:
    """Return the texts of a message, in order; of one without any content, a null."""
    found: list[Text] = []

    def note(name: str | None, text: str | None) -> str | None:
        found.append((name, text))
        return text

    _visited(message, note)
    return found


def with_texts(message: Mapping[str, Any] | None, others: Iterator[str | None]) -> Mapping[str, Any] | None:
    """Return a message with the next of `others` in the place of each of its texts."""
    return _visited(message, lambda name, text: next(others))


_Visit = Callable[[str | None, str | None], str | None]
"""Takes a text with its key, and returns what takes its place."""


def _visited(message: Mapping[str, Any] | None, visit: _Visit) -> Mapping[str, Any] | None:
    if message is None:
        visit(None, None)
        return None
    made, content = dict(message), message.get(CONTENT)
    made[CONTENT] = visit(None, content) if content is None else _said(content, visit)
    if isinstance(by := message.get(NAME), str):
        made[NAME] = visit(NAME, by)
    for name in _OTHERS:
        if message.get(name) is not None:
            made[name] = _said(message[name], visit)
    if isinstance(kept := message.get(PARTS), str):
        made[PARTS] = _in_json(kept, lambda name, text: visit(None, text) if name in _SAID else text)
    for name in CALLS:
        if message.get(name) is not None:
            made[name] = _called(message[name], visit)
    return made


def _called(call: Any, visit: _Visit) -> Any:
    """Visit what a call hands over, or each of several; one that is JSON text is visited as a whole."""
    if isinstance(call, list):
        return [_called(one, visit) for one in call]
    if not isinstance(call, Mapping):
        return _handed(call, visit)
    within = {"function": _called, "arguments": _handed}
    return {key: within[key](value, visit) if key in within else value for key, value in call.items()}


def _handed(arguments: Any, visit: _Visit) -> Any:
    return _in_json(arguments, visit) if isinstance(arguments, str) else _in_records(arguments, "", visit)


def _said(value: Any, visit: _Visit) -> Any:
    return _in_records(value, "", lambda name, text: visit(None, text) if name in _SAID else text)


def _in_records(value: Any, name: str, visit: _Visit) -> Any:
    """Visit the strings of nested records; numbers keep the type that their column has."""
    if isinstance(value, str):
        return visit(name, value)
    if isinstance(value, Mapping):
        return {key: _in_records(item, str(key), visit) for key, item in value.items()}
    return [_in_records(item, name, visit) for item in value] if isinstance(value, list) else value


def _in_json(text: str, visit: _Visit) -> str | None:
    """Visit the strings and numbers of JSON text; what is no JSON is one text."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return visit("", text)
    name = ""

    def put(match: re.Match[str]) -> str:
        nonlocal name
        literal, number = match[0], match["number"]
        if match["colon"] or literal == "}":
            name = _decoded(match["string"]) if match["colon"] else ""
            return literal
        was = number or _decoded(literal)
        new = visit(name, was)
        if new == was:
            return literal
        return new if number and new and _NUMBER.fullmatch(new) else json.dumps(new, ensure_ascii=False)

    return _TOKEN.sub(put, text)


def _decoded(literal: str) -> str:
    """Return what a JSON string says; half a surrogate pair, which no column can hold, reads as a question mark."""
    return literal[1:-1] if "\\" not in literal else str(json.loads(literal)).encode("utf-8", "replace").decode()
