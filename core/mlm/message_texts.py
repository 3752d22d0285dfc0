"""The texts of one message: its content or the text parts of it, its name, its thoughts, and what tools are handed.

Arguments are JSON, as OpenAI has them, or records: what stands under their keys are texts. The keys are texts only to
who asks for all that stands beside what is said, as are ids, names of functions and fields of one provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlm.nested_texts import Path, Visit, in_json, in_records
from mlm.people import says_whom

ROLE, CONTENT, NAME, PARTS = "role", "content", "name", "parts"
"""Fields of a message: in which role who says what, and parts that are kept as JSON text."""
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


def texts(message: Mapping[str, Any] | None, beside: str = "") -> list[Text]:
    """Return the texts of a message, in order; of one without any content, a null.

    Args:
        beside: Name of the column that the message is in, to return all that it holds beside its role: names and ids
            of calls, keys, and other fields, but for those that say whom the row is about.
    """
    return _collected(lambda visit: _visited(message, visit, beside))


def with_texts(
    message: Mapping[str, Any] | None, others: Iterator[str | None], beside: str = ""
) -> Mapping[str, Any] | None:
    """Return a message with the next of `others` in the place of each of its texts."""
    return _visited(message, lambda name, text: next(others), beside)


def notes(value: Any, column: str) -> list[Text]:
    """Return all texts in a value of a column of records or JSON, but for those that say whom the row is about."""
    return _collected(lambda visit: _beside(value, (column,), visit))


def with_notes(value: Any, others: Iterator[str | None], column: str) -> Any:
    """Return such a value with the next of `others` in the place of each of its texts."""
    return _beside(value, (column,), lambda name, text: next(others))


_Visit = Callable[[str | None, str | None], str | None]
"""Takes a text with its key, and returns what takes its place."""


def _collected(walk: Callable[[_Visit], object]) -> list[Text]:
    found: list[Text] = []

    def note(name: str | None, text: str | None) -> str | None:
        found.append((name, text))
        return text

    walk(note)
    return found


def _visited(message: Mapping[str, Any] | None, visit: _Visit, beside: str) -> Mapping[str, Any] | None:
    if message is None:
        visit(None, None)
        return None
    made, content, whole = dict(message), message.get(CONTENT), bool(beside)
    made[CONTENT] = visit(None, content) if content is None else in_records(content, _said(visit, whole))
    if isinstance(by := message.get(NAME), str):
        made[NAME] = visit(NAME, by)
    for name in _OTHERS:
        if message.get(name) is not None:
            made[name] = in_records(message[name], _said(visit, whole))
    if isinstance(kept := message.get(PARTS), str):
        made[PARTS] = in_json(kept, _said(visit, whole), whole=whole)
    for name in CALLS:
        if message.get(name) is not None:
            made[name] = _called(message[name], visit, whole)
    for name in message if whole else ():
        if name not in (ROLE, CONTENT, *MORE):
            made[name] = _beside(message[name], (beside, name), visit)
    return made


def _called(call: Any, visit: _Visit, whole: bool) -> Any:
    """Visit what a call hands over, or each of several; one that is JSON text is visited as a whole."""
    if isinstance(call, list):
        return [_called(one, visit, whole) for one in call]
    if not isinstance(call, Mapping):
        return _handed(call, visit, whole)
    within = {"function": _called, "arguments": _handed}
    return {
        key: within[key](value, visit, whole)
        if key in within
        else in_records(value, _named(visit), (key,), whole=True)
        if whole
        else value
        for key, value in call.items()
    }


def _handed(arguments: Any, visit: _Visit, whole: bool) -> Any:
    walk = in_json if isinstance(arguments, str) else in_records
    return walk(arguments, _named(visit), whole=whole)


def _named(visit: _Visit) -> Visit:
    return lambda path, text: visit(_last(path), text)


def _said(visit: _Visit, whole: bool) -> Visit:
    """Visit what is said in a part as such; what else is in it only as a whole."""

    def put(path: Path, text: str | None) -> str | None:
        return visit(None, text) if _last(path) in _SAID else visit(_last(path), text) if whole else text

    return put


def _beside(value: Any, path: Path, visit: _Visit) -> Any:
    def put(under: Path, text: str | None) -> str | None:
        return text if says_whom(under) else visit(_last(under), text)

    return in_records(value, put, path, whole=True)


def _last(path: Path) -> str:
    return path[-1] if path else ""
