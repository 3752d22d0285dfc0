"""POST /v1/chat/completions and /v1/completions, plain and streamed."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import MutableMapping, Sequence
from typing import Any

from mlm_plugins.targets.gateway.answers import Answer
from mlm_plugins.targets.gateway.errors import SERVER, ApiError, internal
from mlm_plugins.targets.gateway.replies import Reply
from mlm_plugins.targets.gateway.requests import Asked, Kind, read_json, read_request
from mlm_plugins.targets.gateway.service import Service
from mlm_plugins.targets.gateway.wire import EVENTS, Hangup, Receive, Send, Wire, read_body, together

_log = logging.getLogger("mlm.gateway")
_PREFIX = {"chat": "chatcmpl-", "completion": "cmpl-"}


class Completions:
    """An ASGI application that answers one route."""

    def __init__(self, kind: Kind, service: Service) -> None:
        self._kind: Kind = kind
        self._service = service

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        call = _Call(self._service, self._kind, scope, receive, Wire(send))
        try:
            async with asyncio.timeout(self._service.request_timeout_seconds):
                await call.answer()
        except ApiError as error:
            await call.fail(error)
        except TimeoutError:
            limit = self._service.request_timeout_seconds
            await call.fail(ApiError(504, f"no answer within {limit:g} s", "request_timeout", kind=SERVER))
        except Exception:
            _log.exception("request %s failed", call.id)
            await call.fail(internal())
        finally:
            call.count()


class _Call:
    """One request from its body to its last byte."""

    def __init__(
        self, service: Service, kind: Kind, scope: MutableMapping[str, Any], receive: Receive, wire: Wire
    ) -> None:
        self.id = _PREFIX[kind] + uuid.uuid4().hex
        self._service, self._kind, self._scope, self._receive, self._wire = service, kind, scope, receive, wire
        self._model = ""
        self._status = 0

    async def answer(self) -> None:
        """Read, route, reply; raises ApiError."""
        body = await read_body(self._receive, self._service.max_body_bytes)
        asked = read_request(self._kind, read_json(body), self._service.defaults)
        arm = await self._service.fleet.choose(asked.model, self._session(asked))
        self._model = arm.ref
        ids = [f"{self.id}.{i}" if i else self.id for i in range(len(asked.prompts))]
        replies = [Reply(*pair, asked, arm, self._service) for pair in zip(ids, asked.prompts, strict=True)]
        try:
            await self._reply(asked, replies)
        except ApiError as error:
            _fail(replies, error.status, error.code)
            raise
        except asyncio.CancelledError:
            _fail(replies, 504, "request_timeout")
            raise
        except Exception:
            _fail(replies, 500, "internal_error")
            raise
        finally:
            await _close(replies)

    def _session(self, asked: Asked) -> str:
        """Return what keeps a client on its arm: its session, its user, or nothing but this request."""
        header = next(
            (value.decode("latin-1") for name, value in self._scope["headers"] if name == b"x-session-id"), ""
        )
        return header or asked.user or self.id

    async def _reply(self, asked: Asked, replies: Sequence[Reply]) -> None:
        answer = Answer(self.id, asked, self._model, int(time.time()))
        with Hangup(self._receive) as hangup:
            await together(reply.open() for reply in replies)
            if asked.stream:
                await self._stream(answer, replies)
            else:
                await together(_read_all(reply) for reply in replies)
                await _close(replies)
                await self._wire.whole(200, self._model, answer.whole(replies))
        if hangup.happened:
            self._status = 499
            _fail(replies, 499, "client_disconnected")

    async def _stream(self, answer: Answer, replies: Sequence[Reply]) -> None:
        await self._wire.start(200, self._model, EVENTS, {"cache-control": "no-cache", "x-accel-buffering": "no"})
        ends = await together(self._choice(answer, i, reply) for i, reply in enumerate(replies))
        await _close(replies)
        await self._wire.write(b"".join(ends) + answer.closing(replies), more=False)

    async def _choice(self, answer: Answer, index: int, reply: Reply) -> bytes:
        """Send a choice's chunks but for the last, which is returned: it shares a write with what follows."""
        head = answer.opening(index)
        while (piece := await reply.read()) is not None:
            await self._wire.write(head + answer.piece(index, piece))
            head = b""
        return head + answer.ending(index, reply)

    async def fail(self, error: ApiError) -> None:
        """Send an error."""
        self._status = error.status
        await self._wire.fail(error, self._model or self._service.versions)

    def count(self) -> None:
        """Count the request."""
        status = self._status or self._wire.status
        self._service.metrics.requests.add(1, self._kind, self._model, str(status))


async def _read_all(reply: Reply) -> None:
    while await reply.read() is not None:
        pass


async def _close(replies: Sequence[Reply]) -> None:
    """Close replies: before the last byte leaves, so that who has an answer can give feedback on it."""
    for reply in replies:
        await reply.close()


def _fail(replies: Sequence[Reply], status: int, code: str) -> None:
    for reply in replies:
        reply.fail(status, code)
