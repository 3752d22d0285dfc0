"""One message of a conversation, by OpenAI's names, and how ShareGPT writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

Call = tuple[str | None, str, str]
"""Id, name, and arguments as JSON text of a tool call."""
ROLES = ("system", "developer", "user", "assistant", "tool")
SPEAKERS = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "bing": "assistant", "bard": "assistant", "model": "assistant", "system": "system",
    "function_call": "assistant", "tool_call": "assistant", "observation": "tool", "tool": "tool",
    "function_response": "tool", "tool_response": "tool",
}  # fmt: skip
"""Roles by the names that ShareGPT's descendants give to speakers."""
_PLAIN = {"human": "user", "gpt": "assistant", "system": "system", "observation": "tool", "function_call": "assistant"}


@frozen
class Message:
    """A message; what has no field of its own is in `extra`, so that nothing is lost.

    Attributes:
        parts: The content where it is no text, as it came: a list of parts of text, images or sound.
    """

    role: str
    content: str | None = None
    name: str | None = None
    calls: tuple[Call, ...] = ()
    call_id: str | None = None
    parts: Any = None
    extra: Mapping[str, Any] = field(factory=dict)

    @property
    def is_text(self) -> bool:
        """Say whether role and content are all there is to it."""
        return self.content is not None and not (self.calls or self.name or self.call_id or self.parts or self.extra)

    def row(self) -> dict[str, Any]:
        """Return what is stored, in the types of MESSAGE."""
        calls = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in self.calls
        ]
        return {
            "role": self.role, "content": self.content, "name": self.name, "tool_calls": calls or None,
            "tool_call_id": self.call_id, "parts": _text(self.parts), "extra": _text(dict(self.extra) or None),
        }  # fmt: skip


def message_type() -> Any:
    """Return the Arrow type of a stored message."""
    import pyarrow as pa

    text = pa.string()
    call = pa.struct([("id", text), ("type", text), ("function", pa.struct([("name", text), ("arguments", text)]))])
    names = ("role", "content", "name", "tool_calls", "tool_call_id", "parts", "extra")
    return pa.struct([(name, pa.list_(call) if name == "tool_calls" else text) for name in names])


def from_openai(given: Mapping[str, Any]) -> Message:
    """Read a message of OpenAI's chat format; ValueError says what it lacks."""
    rest = {key: value for key, value in given.items() if value is not None}
    role, content = rest.pop("role", None), rest.pop("content", None)
    if role == "function":
        role, rest["role"] = "tool", "function"
    if role not in ROLES:
        raise ValueError(f"a message's role is {role!r}, expected one of {', '.join(ROLES)}")
    calls = [_call(call) for call in rest.pop("tool_calls", ())]
    older = rest.pop("function_call", None)
    # Arrow gives all messages of a column the same keys, and some records have one call in both forms.
    if older and not (isinstance(older, Mapping) and all(part is None for part in older.values())):
        calls += [call for call in _calls(older) if call[1:] not in [known[1:] for known in calls]]
    text = content if isinstance(content, str) else None
    return Message(
        role, text, rest.pop("name", None), tuple(calls), rest.pop("tool_call_id", None),
        content if text is None else None, rest,
    )  # fmt: skip


def from_sharegpt(given: Mapping[str, Any]) -> Message:
    """Read a turn of ShareGPT; ValueError names a speaker that is not known, or says why a call is none."""
    rest = dict(given)
    speaker, value = rest.pop("from"), rest.pop("value", None)
    if speaker not in SPEAKERS:
        raise ValueError(f"a turn is from {speaker!r}, expected one of {', '.join(SPEAKERS)}")
    role = SPEAKERS[speaker]
    if _PLAIN.get(speaker) is None and speaker != role:
        rest["from"] = speaker
    if speaker in ("function_call", "tool_call"):
        return Message(role, calls=_calls(value), extra=rest)
    text = value if isinstance(value, str) else None
    return Message(role, text, parts=value if text is None else None, extra=rest)


def _calls(value: Any) -> tuple[Call, ...]:
    """Read one or several calls of a name and arguments, which may be JSON text; ValueError says why they are none."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"a function call is no JSON: {error}") from None
    listed = found if isinstance(found, list) else [found]
    if not listed or not all(isinstance(call, Mapping) and "name" in call for call in listed):
        raise ValueError("a function call names no function")
    if others := {key for call in listed for key in call} - {"name", "arguments"}:
        raise ValueError(f"a function call has {', '.join(sorted(others))} beside name and arguments")
    return tuple(_call({"function": call}) for call in listed)


def _call(given: Mapping[str, Any]) -> Call:
    function = given.get("function")
    if not isinstance(function, Mapping) or "name" not in function:
        raise ValueError("a tool call names no function")
    return given.get("id"), str(function["name"]), _arguments(function.get("arguments", {}))


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
