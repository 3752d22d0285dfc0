"""What servers, guards, postprocessors and rollouts hand to the core and to each other.

None of these is a hook: hooks are asked once, at start, for objects that follow these protocols; no plugin manager is
on the path of a request.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal, Protocol

from attrs import field, frozen

from mlm.verdicts import Verdict
from mlm_registry import Arm

Message = Mapping[str, Any]
FinishReason = Literal["stop", "length", "content_filter"]


@frozen
class Sampling:
    """How to choose tokens; temperature 0 is greedy."""

    max_tokens: int = 64
    """New tokens at most."""
    temperature: float = 0.0
    """0 takes the most probable token each time."""
    top_p: float = 1.0
    """Draws among the most probable tokens that have this much of the probability together, above 0 to 1."""
    seed: int | None = None
    """The same seed draws the same tokens for the same place among the prompts; None draws anew each time."""
    stop: tuple[str, ...] = ()
    """Texts that end the continuation; they are not part of it."""


@frozen
class Generation:
    """A finished continuation; `ids` exclude the end-of-sequence token."""

    ids: tuple[int, ...]
    """The new tokens."""
    text: str
    """What they say, up to the first of the stop texts."""
    finish_reason: FinishReason
    """`stop` at its own end, `length` at `max_tokens` or `max_length`, `content_filter` where a guard blocked it."""


class Tokenizer(Protocol):
    """Text to token ids and back, equal to the model's own tokenizer in transformers."""

    @property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end a continuation."""
        ...

    def encode(self, text: str) -> list[int]:
        """Return ids with the special tokens that the model's tokenizer adds (such as a leading BOS)."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Return text without special tokens."""
        ...

    def chat(self, messages: Sequence[Message]) -> list[int]:
        """Return ids of a conversation by the model's chat template, ready for the assistant's turn.

        Raises mlm.DataError where the model has no template, or its template refuses the conversation.
        """
        ...

    def without_special(self, text: str) -> str:
        """Return a text without what `encode` and `chat` would read as a special token, such as the start of a turn."""
        ...


class Engine(Protocol):
    """A loaded model. All methods are safe to call from several threads."""

    tokenizer: Tokenizer
    """The model's own."""
    backend: str
    """Name and version of what computes, such as `onnxruntime 1.32.0 cpu`: part of a score's key."""
    max_length: int
    """Tokens of prompt and continuation together."""

    def generate(self, prompts: Sequence[Sequence[int]], sampling: Sampling) -> list[Generation]:
        """Continue each prompt; blocks. Greedy results do not depend on what else is in the batch."""
        ...

    def stream(self, prompt: Sequence[int], sampling: Sampling) -> AsyncGenerator[Sequence[int], None]:
        """Yield new token ids as they are made, then end; closing the generator stops the work.

        Raises ValueError before the first token where the prompt does not fit `max_length`, mlm.serving.Busy where
        the queue is full, and mlm.serving.EngineStopped where it answers no more.
        """
        ...

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        """Return log P(token i | tokens before) in nats for i = 1.. of each sequence (one shorter than it)."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class Busy(Exception):
    """The engine's queue is full; the gateway answers 429 with Retry-After."""


class EngineStopped(RuntimeError):
    """The engine was closed, or broke, and answers no more; the gateway lets go of it and loads the model again."""


@frozen
class Judged:
    """What a guard says of a text."""

    action: Literal["allow", "redact", "block"]
    """What is done with it."""
    text: str
    """What goes on where it is not blocked: the text, or the redacted one."""
    code: str = ""
    """A stable word for what was found; empty only where the action is `allow`."""
    reason: str = ""
    """The same for people."""


class Guard(Protocol):
    """Judges prompts and completions; no text leaves before it is judged with `holdback` characters after it."""

    name: str
    """Stands in the record of what it blocked or redacted."""
    holdback: int
    """Characters that must be seen behind a place before it can be judged."""

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> Judged:
        """Judge a prompt, or what there is of a completion."""
        ...


class TextStream(Protocol):
    """One response on its way through a postprocessor."""

    def feed(self, text: str) -> str:
        """Take the next piece, return what may leave now."""
        ...

    def close(self) -> str:
        """Return what was still held."""
        ...


class Postprocessor(Protocol):
    """Shapes the text of responses, streamed or whole."""

    name: str
    """What people call it."""

    def open(self) -> TextStream:
        """Begin a response."""
        ...


@frozen
class Stage:
    """Where a rollout stands: the arms now, and what was measured on each since this share began."""

    stable: int | None
    """Node of the version that has served before; None where there is none."""
    candidate: int
    """Node of the new version."""
    share: float
    """The candidate's share of traffic, 0 to 1."""
    requests: Mapping[int, int] = field(factory=dict)
    """Requests of each node that say something of it; of the candidate, those that are judged."""
    verdicts: tuple[Verdict, ...] = ()
    """One verdict a requirement, measured on the candidate's own traffic since this share began."""


@frozen
class Move:
    """A rollout's next move."""

    action: Literal["advance", "hold", "rollback", "finish"]
    """More traffic, the same, none, or all of it."""
    share: float
    """The candidate's new share of traffic, 0 to 1."""
    reason: str
    """Why, for the record."""


class Rollout(Protocol):
    """Routes each request to an arm, and says when traffic may move.

    It may have `judged(requests: int) -> int`: how many of the candidate's requests at a share, the first of them, are
    judged when there are so many. Without it all are, and a verdict is asked for anew at each request.
    """

    @property
    def first_share(self) -> float:
        """Share of traffic with which a candidate begins, 0 to 1."""
        ...

    def route(self, key: str, arms: Sequence[Arm]) -> Arm:
        """Choose an arm; the same key and arms always give the same arm (sticky)."""
        ...

    def judge(self, stage: Stage) -> Move:
        """Say what comes next; never `advance` or `finish` against a verdict."""
        ...
