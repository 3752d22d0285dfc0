"""Rows as the conversations that a chat template wants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from mlm.message_texts import THOUGHTS

Message = dict[str, Any]

SPEAKERS = {"prompt": "user", "completion": "assistant", "chosen": "assistant", "rejected": "assistant"}
PREFERRED = ("prompt", "chosen", "rejected")
"""Columns of a preference: what is asked, and two answers to it."""
_FIELDS = ("role", "content", *THOUGHTS, "name", "tool_calls", "tool_call_id")
"""What a chat template is handed of a message: nothing that `pii` and `secrets` do not look into but roles."""


def conversation(row: Mapping[str, Any]) -> list[Message]:
    """Return a row's `messages`, else its `prompt` and `completion` as messages; ValueError says what it lacks.

    A message has `role` and `content`, or `tool_calls` whose arguments are records, as chat templates want them.
    """
    names = ("messages",) if row.get("messages") is not None else ("prompt", "completion")
    if any(row.get(name) is None for name in names):
        raise ValueError("has neither 'messages' nor both 'prompt' and 'completion'")
    turns = [turn for name in names for turn in _turns(name, row[name])]
    if not any(turn["role"] == "assistant" for turn in turns[1:]):
        raise ValueError("has no answer to learn: no message of the assistant follows another")
    return turns


def preference(row: Mapping[str, Any]) -> tuple[list[Message], list[Message], list[Message]]:
    """Return a row's `prompt`, and its `chosen` and `rejected` answers, as messages; ValueError says what it lacks."""
    asked, *answers = (_turns(name, row[name]) for name in PREFERRED)
    # Some data repeat the prompt's messages at the head of each answer.
    chosen, rejected = (turns[len(asked) :] if turns[: len(asked)] == asked else turns for turns in answers)
    for name, turns in zip(PREFERRED, (asked, chosen, rejected), strict=True):
        if not turns:
            raise ValueError(f"has no message in '{name}'")
    return asked, chosen, rejected


def exchange(row: Mapping[str, Any]) -> tuple[list[Message], str | None]:
    """Return the messages that a model is asked, and the text of the right answer; ValueError says what is wrong.

    Of `messages` it is the assistant's last, and all before it are asked; without one all are, and there is no answer.
    Else `prompt` is asked, and `completion` is right, or `chosen` in preference data.
    """
    if row.get("messages") is None:
        asked = _turns("prompt", row.get("prompt"))
        given = next((row[name] for name in ("completion", "chosen") if row.get(name) is not None), None)
        turns = [*asked, *(_turns("completion", given) if given is not None else ())]
    else:
        turns = _turns("messages", row["messages"])
    spoken = [number for number, turn in enumerate(turns) if turn["role"] == "assistant"]
    end = spoken[-1] if spoken else len(turns)
    if not end:
        raise ValueError("asks nothing: no message stands before the answer")
    answer = turns[end].get("content") if spoken else None
    if spoken and answer is None:
        raise ValueError("ends with a tool call and no text, which no answer is compared with: leave such rows out")
    return turns[:end], answer


def last_said(messages: Iterable[Mapping[str, Any]]) -> str:
    """Return the last thing that the user says: what a row of single questions calls the prompt."""
    said = [message.get("content") for message in messages if message.get("role") == "user"]
    return str(said[-1] or "") if said else ""


def tools_of(row: Mapping[str, Any]) -> Any:
    """Return the tools that a row offers, which may be JSON text; ValueError where it is none."""
    tools = row.get("tools")
    if not isinstance(tools, str):
        return _present(tools)
    try:
        return json.loads(tools)
    except ValueError as error:
        raise ValueError(f"has 'tools' that are no JSON: {error}") from error


def _turns(name: str, value: Any) -> list[Message]:
    if value is None:
        raise ValueError(f"has no '{name}'")
    listed = [{"role": SPEAKERS[name], "content": value}] if name in SPEAKERS and isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(given, Mapping) for given in listed):
        raise ValueError(f"has a {type(value).__name__} in '{name}', expected a list of records with role and content")
    return [_message(f"message {number} of '{name}'", given) for number, given in enumerate(listed, 1)]


def _message(which: str, given: Mapping[str, Any]) -> Message:
    message = {key: value for key, value in _present(given).items() if key in _FIELDS}
    calls = message.pop("tool_calls", None)
    if "role" not in message:
        raise ValueError(f"has no role in {which}")
    if not isinstance(message.get("content"), str) and not calls:
        raise ValueError(f"has no text in {which}, the {message['role']}'s")
    if calls and not isinstance(calls, list):
        raise ValueError(f"has a {type(calls).__name__} as 'tool_calls' of {which}, expected a list of records")
    return {**message, "tool_calls": [_call(which, call) for call in calls]} if calls else message


def _call(which: str, given: Any) -> dict[str, Any]:
    """Return a tool call whose arguments are a record: templates would quote the JSON text that data hold."""
    function = given.get("function") if isinstance(given, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise ValueError(f"has a tool call in {which} that is not {{'function': {{'name': ..., 'arguments': ...}}}}")
    call = {key: given[key] for key in given if key in ("id", "type")}
    spoken = {key: function[key] for key in function if key in ("name", "arguments")}
    with suppress(ValueError, TypeError, KeyError):
        spoken["arguments"] = json.loads(spoken["arguments"])
    return {**call, "function": spoken}


def _present(value: Any) -> Any:
    """Leave out what is null, at any depth: Arrow gives all records of a column the same keys."""
    if isinstance(value, Mapping):
        return {key: _present(one) for key, one in value.items() if one is not None}
    return [_present(one) for one in value] if isinstance(value, list) else value
