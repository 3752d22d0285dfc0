"""What a record of instruction or preference data says, whatever format it is in.

Formats: Alpaca (Taori et al. 2023), Self-Instruct's tasks (Wang et al. 2023), ShareGPT with the tool turns of
LLaMA-Factory, OpenAI's messages, pairs of prompt and completion, and for preferences pairs of chosen and rejected,
the transcripts of hh-rlhf (Bai et al. 2022) and the labels of KTO (Ethayarajh et al. 2024).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen

from mlm_plugins.sources.messages import Message, from_openai, from_sharegpt
from mlm_plugins.sources.transcripts import common_prompt, is_transcript, parsed

Record = Mapping[str, Any]

PAIRS = (
    ("prompt", "completion"), ("prompt", "response"), ("question", "answer"), ("query", "response"),
    ("instruction", "response"), ("input", "output"),
)  # fmt: skip
"""Names of a prompt and its completion, in the order in which they are looked for."""
LABELS = ("label", "kto_tag")


class Unknown(ValueError):
    """Why a record is in no format that is known."""


@frozen
class Example:
    """A conversation; for preferences what two answers to it say, or whether its last message is wanted.

    Attributes:
        extra: What the format has no place for, by the record's own keys: nothing of a record is lost.
    """

    format: str
    messages: tuple[Message, ...]
    chosen: tuple[Message, ...] = ()
    rejected: tuple[Message, ...] = ()
    label: bool | None = None
    tools: Any = None
    extra: Mapping[str, Any] = field(factory=dict)

    @property
    def kind(self) -> str:
        """Return `preference`, `kto` or `chat`."""
        return "preference" if self.chosen else "chat" if self.label is None else "kto"

    @property
    def is_single(self) -> bool:
        """Say whether it is one question and its answer, and nothing else."""
        roles = [message.role for message in self.messages]
        return roles == ["user", "assistant"] and self.tools is None and all(m.is_text for m in self.messages)


def examples(record: Record) -> Iterator[Example]:
    """Read what a record holds: one example, or those of a task; Unknown says what is missing."""
    rest = dict(record)
    if "chosen" in rest and "rejected" in rest:
        yield _preference(rest)
    elif "instances" in rest and "instruction" in rest:
        yield from _tasks(rest)
    else:
        yield _labelled(_chat(rest))


def _chat(rest: dict[str, Any]) -> Example:
    tools = next((rest.pop(name) for name in ("tools", "functions") if rest.get(name) is not None), None)
    system = _system(rest)
    history = _history(rest)
    if history is not None:
        name, messages = history
    elif isinstance(rest.get("instruction"), str) and isinstance(rest.get("output"), str):
        name, messages = "alpaca", _alpaca(rest)
    else:
        name, messages = "pair", _pair(rest)
    if not any(message.role == "assistant" for message in messages):
        raise Unknown("no message is the assistant's")
    return Example(name, (*system, *messages), tools=_json(tools), extra=rest)


def _system(rest: dict[str, Any]) -> tuple[Message, ...]:
    if isinstance(rest.get("system"), str) and rest["system"]:
        return (Message("system", rest.pop("system")),)
    return ()


def _history(rest: dict[str, Any]) -> tuple[str, tuple[Message, ...]] | None:
    """Take a list of messages out of a record, whichever of the two ways it is written in."""
    for key in ("messages", "conversations", "conversation"):
        if isinstance(rest.get(key), list) and rest[key]:
            listed = rest.pop(key)
            sharegpt = all(isinstance(one, Mapping) and "from" in one for one in listed)
            try:
                turns = tuple(from_sharegpt(one) if sharegpt else from_openai(one) for one in listed)
            except (ValueError, TypeError) as error:
                raise Unknown(f"{key}: {error}") from None
            return ("sharegpt" if sharegpt else "messages"), turns
    return None


def _alpaca(rest: dict[str, Any]) -> tuple[Message, ...]:
    asked = [rest.pop("instruction"), rest.pop("input", None) or ""]
    turns: list[Message] = []
    for one in rest.pop("history", None) or ():
        turns += [Message("user", one[0]), Message("assistant", one[1])]
    turns += [Message("user", "\n\n".join(part for part in asked if part)), Message("assistant", rest.pop("output"))]
    return tuple(turns)


def _pair(rest: dict[str, Any]) -> tuple[Message, ...]:
    for asked, answered in PAIRS:
        if asked in rest and answered in rest:
            turns = (*_turns(rest[asked], "user"), *_turns(rest[answered], "assistant"))
            del rest[asked], rest[answered]
            return turns
    raise Unknown(f"no format of instructions has the keys {', '.join(sorted(rest)) or '(none)'}")


def _turns(value: Any, role: str) -> tuple[Message, ...]:
    """Read text, a message or messages."""
    if isinstance(value, str):
        return (Message(role, value),)
    listed = [value] if isinstance(value, Mapping) else value
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise Unknown(f"the {role}'s part is neither text nor messages")
    try:
        return tuple(from_sharegpt(one) if "from" in one else from_openai(one) for one in listed)
    except (ValueError, TypeError) as error:
        raise Unknown(str(error)) from None


def _tasks(rest: dict[str, Any]) -> Iterator[Example]:
    """Read a task of Self-Instruct: one instruction, and some inputs with their outputs."""
    instruction, instances = rest.pop("instruction"), rest.pop("instances")
    for number, instance in enumerate(instances):
        own = dict(instance)
        turns = _alpaca(own | {"instruction": instruction})
        left = {key: value for key, value in own.items() if key not in ("input", "output", "instruction")}
        yield Example("self-instruct", turns, extra={**rest, **left, "instance": number})


def _labelled(example: Example) -> Example:
    rest = dict(example.extra)
    for name in LABELS:
        if isinstance(rest.get(name), bool):
            return evolve(example, label=rest.pop(name), extra=rest)
    return example


def _preference(rest: dict[str, Any]) -> Example:
    chosen, rejected = rest.pop("chosen"), rest.pop("rejected")
    if is_transcript(chosen) and is_transcript(rejected) and "prompt" not in rest:
        prompt = common_prompt(chosen, rejected)
        answers = [(Message("assistant", text[len(prompt) :].removeprefix(" ")),) for text in (chosen, rejected)]
        return Example("hh-rlhf", parsed(prompt), answers[0], answers[1], extra=rest)
    system, history = _system(rest), _history(rest)
    name, asked = history or ("preference", ())
    if not asked and "prompt" in rest:
        asked = _turns(rest.pop("prompt"), "user")
    elif not asked and isinstance(rest.get("instruction"), str):
        asked = _alpaca(rest | {"output": ""})[:-1]
        rest = {key: value for key, value in rest.items() if key not in ("instruction", "input", "history")}
    good, bad = _turns(chosen, "assistant"), _turns(rejected, "assistant")
    # UltraFeedback (Cui et al. 2023) repeats the prompt at the head of each answer.
    good, bad = (turns[len(asked) :] if turns[: len(asked)] == asked else turns for turns in (good, bad))
    if not asked:
        shared = next((n for n, (a, b) in enumerate(zip(good, bad, strict=False)) if a != b), min(len(good), len(bad)))
        asked, good, bad = good[:shared], good[shared:], bad[shared:]
    if not good or not bad or not asked:
        raise Unknown("chosen and rejected are no two answers to one prompt")
    return Example(name, (*system, *asked), good, bad, extra=rest)


def _json(value: Any) -> Any:
    """Read tools that are given as JSON text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
