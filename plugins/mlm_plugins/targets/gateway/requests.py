"""Bodies of the OpenAI API, checked and turned into one frozen record.

Fields that this gateway does not know are ignored, as OpenAI's clients expect. Those that it knows and cannot honour
are refused, because an answer without them would mean something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen

from mlm.serving import Message, Sampling
from mlm_plugins.targets.gateway.errors import ApiError, bad_value

Kind = Literal["chat", "completion"]
Body = Mapping[str, Any]

MAX_PROMPTS = 128
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "audio": (),
    "best_of": (1,),
    "echo": (False,),
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "suffix": ("",),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "web_search_options": (),
}
"""Fields that would change what an answer means, with the values that ask for nothing."""


@frozen
class Prompt:
    """One prompt: messages, text or token ids."""

    text: str = ""
    ids: tuple[int, ...] | None = None
    messages: tuple[Message, ...] = ()


@frozen
class Defaults:
    """What holds where a request does not say."""

    model: str
    max_tokens: int
    temperature: float


@frozen
class Asked:
    """One checked request."""

    kind: Kind
    model: str
    prompts: tuple[Prompt, ...]
    sampling: Sampling
    stream: bool = False
    include_usage: bool = False
    user: str = ""


def read_json(body: bytes) -> Body:
    """Read a body that must be a JSON object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is no valid JSON: {error}", "invalid_json") from None
    if not isinstance(value, dict):
        raise ApiError(400, f"the body is a JSON {type(value).__name__}, expected an object", "invalid_json")
    return value


def read_request(kind: Kind, body: Body, defaults: Defaults) -> Asked:
    """Check a body of /v1/chat/completions or /v1/completions."""
    _refuse_unsupported(body)
    stream = _flag(body, "stream")
    return Asked(
        kind=kind,
        model=text(body, "model", defaults.model),
        prompts=(_chat(body.get("messages")),) if kind == "chat" else _prompts(body.get("prompt")),
        sampling=_sampling(body, defaults),
        stream=stream,
        include_usage=_include_usage(body.get("stream_options"), stream),
        user=text(body, "user", ""),
    )


def text(body: Body, name: str, default: str) -> str:
    """Return a field that must be text, if it is given."""
    value = body.get(name)
    return default if value is None else _checked(value, name)


def _checked(value: object, param: str) -> str:
    if not isinstance(value, str):
        raise bad_value(param, value, "a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise bad_value(param, value, "text without lone surrogates") from None
    return value


def _refuse_unsupported(body: Body) -> None:
    for name in body.keys() & _NEUTRAL.keys():
        if body[name] is not None and body[name] not in _NEUTRAL[name]:
            message = f"'{name}' is not supported by this endpoint; leave it out"
            raise ApiError(400, message, "unsupported_parameter", param=name)


def _chat(messages: object) -> Prompt:
    if not isinstance(messages, list) or not messages:
        raise bad_value("messages", messages, "a list of at least one message")
    return Prompt(messages=tuple(_message(message, f"messages[{i}]") for i, message in enumerate(messages)))


def _message(message: object, param: str) -> Message:
    if not isinstance(message, dict):
        raise bad_value(param, message, "an object with role and content")
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise bad_value(f"{param}.role", role, f"one of {', '.join(_ROLES)}")
    return {"role": _ROLES[role], "content": _content(message.get("content"), f"{param}.content")}


def _content(content: object, param: str) -> str:
    if not isinstance(content, list):
        return _checked(content, param)
    if not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        raise ApiError(400, f"'{param}' may have parts of type text only", "unsupported_content", param=param)
    return "".join(_checked(part.get("text"), f"{param}[{i}].text") for i, part in enumerate(content))


def _prompts(prompt: object) -> tuple[Prompt, ...]:
    if isinstance(prompt, str):
        return (Prompt(text=_checked(prompt, "prompt")),)
    if not isinstance(prompt, list) or not prompt:
        raise bad_value("prompt", prompt, "text, token ids, or a list of either")
    if _are_ids(prompt):
        return (Prompt(ids=tuple(prompt)),)
    if len(prompt) > MAX_PROMPTS:
        raise ApiError(
            400, f"{len(prompt)} prompts in a request, at most {MAX_PROMPTS}", "too_many_prompts", param="prompt"
        )
    return tuple(_one_prompt(value, f"prompt[{i}]") for i, value in enumerate(prompt))


def _one_prompt(value: object, param: str) -> Prompt:
    if isinstance(value, list) and value and _are_ids(value):
        return Prompt(ids=tuple(value))
    return Prompt(text=_checked(value, param))


def _are_ids(values: list[Any]) -> bool:
    return all(type(value) is int and 0 <= value < 2**31 for value in values)


def _sampling(body: Body, defaults: Defaults) -> Sampling:
    given = [body.get(name) for name in ("max_completion_tokens", "max_tokens")]
    limit = next((value for value in given if value is not None), defaults.max_tokens)
    return Sampling(
        max_tokens=_integer("max_tokens", limit, 1, 2**31),
        temperature=_number(body, "temperature", defaults.temperature, 0, 2),
        top_p=_number(body, "top_p", 1.0, 0, 1),
        seed=_seed(body.get("seed")),
        stop=_stop(body.get("stop")),
    )


def _seed(value: object) -> int | None:
    # OpenAI takes negative seeds; NumPy's generators do not.
    return None if value is None else _integer("seed", value, -(2**63), 2**63 - 1) % 2**63


def _integer(name: str, value: object, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise bad_value(name, value, f"a whole number from {low} to {high}")
    return value


def _number(body: Body, name: str, default: float, low: float, high: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if type(value) not in (int, float) or not low <= value <= high:
        raise bad_value(name, value, f"a number from {low} to {high}")
    return float(value)


def _stop(value: object) -> tuple[str, ...]:
    values = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(values, list) or len(values) > 4 or "" in values:
        raise bad_value("stop", value, "text, or a list of at most 4 texts, none empty")
    return tuple(_checked(stop, "stop") for stop in values)


def _flag(body: Body, name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad_value(name, value, "true or false")
    return bool(value)


def _include_usage(options: object, stream: bool) -> bool:
    if options is None:
        return False
    if not isinstance(options, dict) or not stream:
        raise bad_value("stream_options", options, "an object, and only together with 'stream': true")
    return _flag(options, "include_usage")
