"""One request on its way through the scheduler, and the box in which its caller finds the tokens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from mlm.serving import FinishReason

if TYPE_CHECKING:
    from mlm_plugins.servers.session import Floats


class WaitingBox:
    """Lets one thread wait for the end of a request."""

    loop: asyncio.AbstractEventLoop | None = None

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._error: RuntimeError | None = None

    def put(self, ids: Sequence[int], ended: bool, error: RuntimeError | None = None) -> None:
        """Called by the engine's thread."""
        if ended:
            self._error = error
            self._ended.set()

    def wait(self) -> None:
        """Return when the request has ended; raise what broke it."""
        self._ended.wait()
        if self._error is not None:
            raise type(self._error)(str(self._error)) from self._error


class StreamBox:
    """Hands the tokens of a request to a coroutine; everything in it happens on the loop's thread."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._ids: list[int] = []
        self._error: RuntimeError | None = None
        self._ended = False

    def put(self, ids: Sequence[int], ended: bool, error: RuntimeError | None = None) -> None:
        """Called on the loop, by the engine's one message a step."""
        self._ids += ids
        self._ended, self._error = ended, error
        self._news.set()

    async def take(self) -> tuple[list[int], bool]:
        """Wait for news; return the ids since the last call and whether they are the last; raise what broke it."""
        await self._news.wait()
        self._news.clear()
        ids, self._ids = self._ids, []
        if self._error is not None:
            raise type(self._error)(str(self._error)) from self._error
        return ids, self._ended


@define(eq=False)
class Request:
    """A prompt, how to continue it, and what was made so far."""

    prompt: Sequence[int]
    limit: int
    """New tokens at most."""
    choose: Callable[[Floats], int]
    eos_ids: frozenset[int]
    box: WaitingBox | StreamBox
    stops: Callable[[int], bool] | None = None
    """Whether this id completes a stop string."""
    ids: list[int] = field(factory=list)
    finish_reason: FinishReason | None = None
    cancelled: bool = False
    told: bool = False
    """Whether the caller knows that it has ended."""

    @property
    def leaves(self) -> bool:
        return self.cancelled or self.finish_reason is not None

    def accept(self, logits: Floats) -> tuple[int, ...]:
        """Choose the next token from logits (vocabulary,); return what the caller shall see of it."""
        chosen = self.choose(logits)
        if chosen in self.eos_ids:
            self.finish_reason = "stop"
            return ()
        self.ids.append(chosen)
        if self.stops is not None and self.stops(chosen):
            self.finish_reason = "stop"
        elif len(self.ids) >= self.limit:
            self.finish_reason = "length"
        return (chosen,)
