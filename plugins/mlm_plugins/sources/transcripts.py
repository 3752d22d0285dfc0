"""Conversations as plain text, as hh-rlhf writes them (Bai et al. 2022): by turns of `Human:` and `Assistant:`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mlm_plugins.sources.messages import Message

HUMAN, ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
_TURN = re.compile(r"\n\n(Human|Assistant):")


def is_transcript(text: Any) -> bool:
    """Say whether text begins with a human's turn and has an answer."""
    return isinstance(text, str) and text.startswith(HUMAN) and ASSISTANT in text


def common_prompt(one: str, other: str) -> str:
    """Return what two transcripts share, up to the last turn of the assistant that begins in both."""
    shared = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    end = one.rfind(ASSISTANT, 0, shared)
    return one[: end + len(ASSISTANT)] if end >= 0 else ""


def parsed(prompt: str) -> tuple[Message, ...]:
    """Read the turns of a transcript that ends where the assistant is to speak.

    Raises no error: what is not written as `written` would is one message of the user, as it stands.
    """
    parts = _TURN.split(prompt)
    turns = [
        Message("user" if speaker == "Human" else "assistant", text.removeprefix(" "))
        for speaker, text in zip(parts[1::2], parts[2::2], strict=True)
    ]
    if turns and turns[-1].role == "assistant" and not turns[-1].content:
        turns.pop()
    asked = tuple(turns)
    return asked if asked and written(asked) == prompt else (Message("user", prompt),)


def written(messages: Sequence[Message]) -> str:
    """Write a conversation up to where the assistant is to speak; a system message stands first, without a name."""
    system = "".join(message.content or "" for message in messages if message.role in ("system", "developer"))
    turns = [message for message in messages if message.role in ("user", "assistant")]
    text = "".join(f"{HUMAN if turn.role == 'user' else ASSISTANT} {turn.content}" for turn in turns)
    return f"{system}{text}{ASSISTANT}"
