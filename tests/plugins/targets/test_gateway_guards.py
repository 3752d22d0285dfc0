"""Guards and postprocessors over a real socket."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Literal

import pytest

from mlm.serving import Judged

EMAIL = re.compile(r"[a-z]+@[a-z]+\.[a-z]+")


class Censor:
    """Blocks texts with a word."""

    name, holdback = "censor", 12

    def __init__(self, word: str = "bomb") -> None:
        self.word = word

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> Judged:
        return Judged("block", text, "forbidden") if self.word in text else Judged("allow", text)


class Redactor:
    """Redacts e-mail addresses."""

    name, holdback = "redactor", 40

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> Judged:
        clean = EMAIL.sub("[EMAIL]", text)
        return Judged("redact", clean, "email") if clean != text else Judged("allow", text)


class Slow(Censor):
    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> Judged:
        await asyncio.Event().wait()
        raise AssertionError("never")


class Crashing(Censor):
    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> Judged:
        raise RuntimeError("broken")


class Senseless(Censor):
    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> Any:
        return True


class Shout:
    """Writes capitals, and an exclamation mark at the end."""

    name = "shout"

    def open(self) -> Shout:
        return self

    def feed(self, text: str) -> str:
        return text.upper()

    def close(self) -> str:
        return "!"


def test_a_blocked_prompt_is_refused_and_never_reaches_the_engine(start: Any, engine: Any) -> None:
    house = start({"int8": (scripted := engine())}, guards=[Censor()], refusal="No.")

    body = house.chat("make a bomb").json()

    assert body["choices"][0]["message"]["content"] == "No."
    assert body["choices"][0]["finish_reason"] == "content_filter"
    assert house.streamed("make a bomb") == ("No.", "content_filter")
    assert scripted.prompts == []
    expected = ({"guard": "censor", "direction": "prompt", "action": "block", "code": "forbidden"},)
    assert house.recorded(body["id"]).guards == expected


def test_every_message_is_judged_not_only_the_last(start: Any) -> None:
    house = start(guards=[Censor()])
    messages = [{"role": "system", "content": "bomb"}, {"role": "user", "content": "hi"}]

    body = house.http.post("/v1/chat/completions", json={"messages": messages}).json()

    assert body["choices"][0]["finish_reason"] == "content_filter"


def test_token_ids_are_judged_as_the_text_they_spell(start: Any) -> None:
    house = start(guards=[Censor()])

    assert house.complete(list(b"a bomb")).json()["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_a_completion_that_turns_bad_ends_before_the_bad_word(start: Any, engine: Any, chunk: int) -> None:
    text = "First a harmless sentence of some length. Then: build a bomb with these parts. " + "More. " * 20
    house = start({"int8": (scripted := engine(text, chunk=chunk))}, guards=[Censor()])

    streamed, reason = house.streamed()
    plain = house.chat().json()["choices"][0]

    assert reason == plain["finish_reason"] == "content_filter"
    assert streamed == plain["message"]["content"]
    assert text.startswith(streamed)
    assert "bomb" not in streamed
    assert "First a harmless" in streamed
    assert scripted.made <= 2 * -(-len(text) // chunk)
    assert house.last().guards[0]["direction"] == "completion"


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_redaction_does_not_depend_on_how_the_tokens_come(start: Any, engine: Any, chunk: int) -> None:
    text = "Write to ann@corp.org, or bob@corp.org and eve@corp.org. " * 3 + "That is all that I can say, I fear."
    house = start({"int8": engine(text, chunk=chunk)}, guards=[Redactor()])

    streamed, _ = house.streamed()

    assert streamed == EMAIL.sub("[EMAIL]", text) == house.chat().json()["choices"][0]["message"]["content"]


def test_a_redacted_prompt_is_what_the_engine_and_the_registry_see(start: Any, engine: Any) -> None:
    house = start({"int8": (scripted := engine(text=None))}, guards=[Redactor()])

    body = house.chat("I am ann@corp.org").json()

    assert body["choices"][0]["message"]["content"] == "user: I am [EMAIL]\n"
    assert bytes(scripted.prompts[0]) == b"user: I am [EMAIL]\n"
    assert house.recorded(body["id"]).prompt == "I am [EMAIL]"


def test_a_blocked_prompt_is_recorded_redacted(start: Any) -> None:
    house = start(guards=[Censor(), Redactor()])

    given = house.complete("a bomb for ann@corp.org").json()["id"]

    assert house.recorded(given).prompt == "a bomb for [EMAIL]"


@pytest.mark.parametrize(
    ("guard", "code"), [(Crashing(), "guard_error"), (Senseless(), "guard_error"), (Slow(), "guard_timeout")]
)
def test_a_guard_that_gives_no_verdict_blocks(start: Any, guard: Any, code: str) -> None:
    house = start(guards=[guard], guard_timeout_seconds=0.05)

    body = house.chat().json()

    assert body["choices"][0]["finish_reason"] == "content_filter"
    assert house.recorded(body["id"]).guards[0]["code"] == code


def test_postprocessors_shape_what_the_guards_let_through(start: Any, engine: Any) -> None:
    house = start({"int8": engine("mail ann@corp.org")}, guards=[Redactor()], postprocessors=[Shout()])

    assert house.streamed() == ("MAIL [EMAIL]!", "stop")
    assert house.chat().json()["choices"][0]["message"]["content"] == "MAIL [EMAIL]!"
