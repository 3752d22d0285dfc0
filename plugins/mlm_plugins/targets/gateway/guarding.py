"""Guards on the way of a prompt and of a completion.

A completion is judged piece by piece, at places that depend on its text alone: however the tokens came, the same text
leaves. A guard that raises, or takes too long, blocks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from mlm.serving import Guard, Judged

Direction = Literal["prompt", "completion"]
Decision = Mapping[str, str]
Heard = Callable[[Decision], None]

STEP = 24
"""Characters between two judgements of a completion: judging at every token costs thirty times as much."""
CONTEXT = 64
"""Least number of characters before the new text that a guard sees, for the edges of its patterns."""

_log = logging.getLogger("mlm.gateway")


class Guarding:
    """The guards of one response, and what they decided other than `allow`."""

    def __init__(self, guards: Sequence[Guard], timeout_seconds: float, heard: Heard) -> None:
        self.guards = guards
        self.decisions: list[Decision] = []
        self._timeout = timeout_seconds
        self._heard = heard

    async def prompt(self, text: str) -> tuple[str, bool]:
        """Return the prompt as redacted, and whether it is blocked.

        After a block the other guards still judge, so that what is recorded of the prompt is redacted.
        """
        blocked = False
        for guard in self.guards:
            judged = await self.judge(guard, text, "prompt")
            blocked = blocked or judged.action == "block"
            text = judged.text if judged.action == "redact" else text
        return text, blocked

    async def judge(self, guard: Guard, text: str, direction: Direction) -> Judged:
        """Ask one guard; no answer is a block."""
        try:
            async with asyncio.timeout(self._timeout):
                judged = await guard.judge(text, direction)
            if judged.action == "allow":
                return judged
            if judged.action not in ("redact", "block") or not isinstance(judged.text, str):
                raise TypeError(f"guard {guard.name} answered {judged!r}")
        except TimeoutError:
            _log.error("guard %s took more than %s s: blocked", guard.name, self._timeout)
            judged = Judged("block", "", "guard_timeout", "the guard gave no answer in time")
        except Exception:
            _log.exception("guard %s raised: blocked", guard.name)
            judged = Judged("block", "", "guard_error", "the guard raised")
        self._note({"guard": guard.name, "direction": direction, "action": judged.action, "code": judged.code})
        return judged

    def _note(self, decision: Decision) -> None:
        if decision not in self.decisions:
            self.decisions.append(decision)
            self._heard(decision)


class GuardedText:
    """A completion on its way through all guards."""

    def __init__(self, guarding: Guarding) -> None:
        self._stages = [_Stage(guard, guarding) for guard in guarding.guards]
        self._waiting = ""
        self.blocked = False

    async def feed(self, text: str) -> str:
        """Take the next piece of text and return what may leave."""
        if not self._stages:
            return text
        self._waiting += text
        left = ""
        while len(self._waiting) >= STEP and not self.blocked:
            piece, self._waiting = self._waiting[:STEP], self._waiting[STEP:]
            left += await self._through(piece, last=False)
        return left

    async def close(self) -> str:
        """Judge the rest and return what of it may leave."""
        if not self._stages or self.blocked:
            return ""
        return await self._through(self._waiting, last=True)

    async def _through(self, piece: str, last: bool) -> str:
        for stage in self._stages:
            if not piece and not last:
                return ""
            piece = await stage.feed(piece, last)
            if stage.blocked:
                self.blocked = True
                return ""
        return piece


class _Stage:
    """One guard and the text that it holds back."""

    def __init__(self, guard: Guard, guarding: Guarding) -> None:
        self._guard, self._guarding = guard, guarding
        self._held = ""
        self._before = ""
        self.blocked = False

    async def feed(self, text: str, last: bool) -> str:
        self._held += text
        cut = len(self._held) - (0 if last else self._guard.holdback)
        if cut <= 0:
            return ""
        judged = await self._judged()
        tail = self._held[cut:]
        # An edit that reaches into the tail may grow with the text to come: nothing leaves until it is settled.
        if self.blocked or not judged.endswith(tail):
            return ""
        left = judged[: len(judged) - len(tail)]
        self._held = tail
        self._before = (self._before + left)[-max(CONTEXT, self._guard.holdback) :]
        return left

    async def _judged(self) -> str:
        """Return the held text as the guard would have it."""
        judged = await self._guarding.judge(self._guard, self._before + self._held, "completion")
        if judged.action == "redact" and not judged.text.startswith(self._before):
            # What has left cannot be edited any more, so the rest is judged without it.
            self._before = ""
            judged = await self._guarding.judge(self._guard, self._held, "completion")
        self.blocked = judged.action == "block"
        return judged.text[len(self._before) :] if judged.action == "redact" else self._held
