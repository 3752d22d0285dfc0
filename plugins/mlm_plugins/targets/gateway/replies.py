"""One prompt on its way through guards, engine, guards and postprocessors, and what is recorded of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import evolve

from mlm.errors import DataError
from mlm.serving import Busy, EngineStopped, Sampling
from mlm_plugins.detectors.turns import last_said
from mlm_plugins.targets.gateway.arms import LoadedArm
from mlm_plugins.targets.gateway.errors import ApiError, bad_value, busy, internal, too_long
from mlm_plugins.targets.gateway.guarding import Guarding
from mlm_plugins.targets.gateway.requests import Asked, Prompt
from mlm_plugins.targets.gateway.service import Service
from mlm_plugins.targets.gateway.streaming import CompletionText
from mlm_registry import Exchange

_LONG = 16_384
"""Characters from which a prompt is encoded in a thread: the other requests would wait for it."""
_log = logging.getLogger("mlm.gateway")


class Reply:
    """The reply to one prompt. `open` it, `read` until None, and `close` it in every case."""

    def __init__(self, id: str, prompt: Prompt, asked: Asked, arm: LoadedArm, service: Service) -> None:
        self.id, self.arm = id, arm
        self.finish_reason = ""
        self.prompt_tokens = self.completion_tokens = 0
        self.status, self.error = 200, ""
        self._asked, self._prompt, self._service = asked, prompt, service
        self._revision = service.fleet.roster.revision
        self._guarding = Guarding(service.guards, service.guard_timeout_seconds, service.heard)
        self._tokens: AsyncGenerator[Sequence[int], None] | None = None
        self._ahead: Sequence[int] | None = None
        self._ready = self._pieces = ""
        self._blocked_direction = ""
        self._closed = False
        self._at, self._started = time.time(), time.perf_counter()
        self._first_token: float | None = None
        self._use = arm.used()
        self._use.__enter__()
        self._clock = arm.clock.read()

    @property
    def text(self) -> str:
        """What has left so far."""
        return self._pieces

    def fail(self, status: int, code: str) -> None:
        """Say that the request ended with an error."""
        self.status, self.error = status, code

    async def open(self) -> None:
        """Judge the prompt, and wait for the engine's first tokens."""
        self._prompt, blocked = await self._judged(self._prompt)
        if blocked:
            self._refuse()
            return
        engine, asked = self.arm.engine, self._asked
        ids = await self._encoded(self._prompt)
        self.prompt_tokens = len(ids)
        param = "messages" if self._prompt.messages else "prompt"
        if not ids:
            raise bad_value(param, "", "at least one token")
        if len(ids) >= engine.max_length:
            raise too_long(len(ids), engine.max_length, param)
        # Stop strings are this side's work: they may end in the middle of a token.
        self._sampling = self._fitting(asked.sampling, engine.max_length - len(ids))
        self._completion = CompletionText(
            engine.tokenizer, asked.sampling.stop, self._guarding, self._service.postprocessors
        )
        self._tokens = engine.stream(ids, self._sampling)
        self._ahead = await self._next()
        self._first_token = time.perf_counter() - self._started

    def _fitting(self, sampling: Sampling, room: int) -> Sampling:
        return evolve(sampling, max_tokens=min(sampling.max_tokens, room), stop=())

    def _refuse(self) -> None:
        self.finish_reason, self._blocked_direction = "content_filter", "prompt"
        self._ready = self._service.refusal

    async def _judged(self, prompt: Prompt) -> tuple[Prompt, bool]:
        """Return the prompt as redacted, and whether it is blocked."""
        if prompt.messages:
            judged = [await self._guarding.prompt(message["content"]) for message in prompt.messages]
            messages = [{**m, "content": text} for m, (text, _) in zip(prompt.messages, judged, strict=True)]
            return Prompt(messages=tuple(messages)), any(blocked for _, blocked in judged)
        text = prompt.text if prompt.ids is None else self.arm.engine.tokenizer.decode(prompt.ids)
        redacted, blocked = await self._guarding.prompt(text)
        return Prompt(redacted, prompt.ids if redacted == text else None), blocked

    async def _encoded(self, prompt: Prompt) -> Sequence[int]:
        if prompt.ids is not None:
            return prompt.ids
        tokenizer = self.arm.engine.tokenizer
        work = partial(tokenizer.chat, prompt.messages) if prompt.messages else partial(tokenizer.encode, prompt.text)
        size = len(prompt.text) + sum(len(message["content"]) for message in prompt.messages)
        try:
            return await asyncio.to_thread(work) if size > _LONG else work()
        except DataError as error:
            # There is no chat template, or it refuses the conversation: its roles, or their order.
            param = "messages" if prompt.messages else "prompt"
            raise ApiError(400, str(error), "invalid_prompt", param=param) from None

    async def read(self) -> str | None:
        """Return the next piece of text, or None when the reply is whole."""
        text, self._ready = self._ready, ""
        while not text and not self.finish_reason:
            ids = self._ahead if self._ahead is not None else await self._next()
            self._ahead = None
            text = await self._taken(ids)
        self._pieces += text
        return text or None

    async def _next(self) -> Sequence[int] | None:
        """Wait for the next ids; None when the engine is done."""
        assert self._tokens is not None
        try:
            return await anext(self._tokens, None)
        except Busy:
            raise busy(self._service.retry_seconds) from None
        except ValueError as error:
            raise ApiError(400, f"the engine refused the prompt: {error}", "invalid_prompt") from None
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise
            _log.exception("%s failed in request %s", self.arm.ref, self.id)
            if isinstance(error, EngineStopped):
                self._service.fleet.let_go(self.arm)
            raise internal("engine_error") from None

    async def _taken(self, ids: Sequence[int] | None) -> str:
        text = ""
        if ids is not None:
            self.completion_tokens += len(ids)
            text = await self._completion.feed(ids)
        if ids is None or self._completion.stopped:
            text += await self._completion.close()
            self._finish()
        return text

    def _finish(self) -> None:
        if self._completion.blocked:
            self.finish_reason, self._blocked_direction = "content_filter", "completion"
        elif self._completion.stopped or self.completion_tokens < self._sampling.max_tokens:
            self.finish_reason = "stop"
        else:
            self.finish_reason = "length"

    async def close(self) -> None:
        """Stop the engine's work on this reply, count it and record it; again does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._tokens is not None:
                await self._tokens.aclose()
        finally:
            cost = (self.arm.clock.read() - self._clock) * self._service.usd_per_second
            self._use.__exit__(None, None, None)
            exchange = self._exchange(cost)
            self._count(exchange)
            self._service.recorder.put(exchange)

    def _count(self, exchange: Exchange) -> None:
        metrics, ref = self._service.metrics, self.arm.ref
        metrics.tokens.add(self.prompt_tokens, ref, "prompt")
        metrics.tokens.add(self.completion_tokens, ref, "completion")
        metrics.cost.add(exchange.cost_usd, ref)
        metrics.latency.observe(exchange.latency_seconds, ref)
        if self._first_token is not None:
            metrics.first_token.observe(self._first_token, ref)
        if self._blocked_direction:
            metrics.refusals.add(1, ref, self._blocked_direction)

    def _exchange(self, cost_usd: float) -> Exchange:
        return Exchange(
            id=self.id,
            deployment=self._service.deployment,
            revision=self._revision,
            node=self.arm.node,
            route=self._asked.kind,
            at=self._at,
            request=self._recorded_request(),
            prompt=self._recorded_prompt(),
            response=self._pieces,
            status=self.status,
            error=self.error or None,
            finish_reason=self.finish_reason,
            latency_seconds=time.perf_counter() - self._started,
            first_token_seconds=self._first_token,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost_usd=cost_usd,
            guards=tuple(self._guarding.decisions),
        )

    def _recorded_request(self) -> Mapping[str, Any]:
        asked, sampling = self._asked, self._asked.sampling
        request: dict[str, Any] = {"model": asked.model, "stream": asked.stream, "user": asked.user}
        for name in ("max_tokens", "temperature", "top_p", "seed", "stop"):
            request[name] = getattr(sampling, name)
        if len(self._prompt.messages) > 1:
            request["messages"] = self._prompt.messages
        return request

    def _recorded_prompt(self) -> str:
        """The text, or the last thing that the user said: what a row of training data calls the prompt."""
        return last_said(self._prompt.messages) if self._prompt.messages else self._prompt.text
