"""The client's end of one request: reading its body, writing the response, noticing that it left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, TypeVar

from mlm_plugins.targets.gateway.errors import ApiError

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
T = TypeVar("T")

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read a request's body, in bounded memory."""
    parts, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ApiError(499, "the client left before its request was read", "client_disconnected")
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise ApiError(413, f"the body is larger than {limit} bytes; send less", "body_too_large")
        if not event.get("more_body"):
            return b"".join(parts)


class Wire:
    """Writes one response and remembers how it stands."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def start(
        self, status: int, version: str, content_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send status and headers."""
        self.status = status
        fields = {"content-type": content_type, "x-mlm-version": version, **(headers or {})}
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in fields.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, body: bytes, more: bool = True) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def whole(
        self, status: int, version: str, body: bytes, content_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole response."""
        sized = {**(headers or {}), "content-length": str(len(body))}
        await self.start(status, version, content_type, sized)
        await self.write(body, more=False)

    async def fail(self, error: ApiError, version: str) -> None:
        """Send an error: as the response, or into the stream that has begun, which no [DONE] ends then."""
        if not self.status:
            await self.whole(error.status, version, error.body, headers=error.headers)
        else:
            await self.write(b"data: " + error.body + b"\n\n", more=False)


class Hangup:
    """Cancels the work inside when the client leaves, and says so in `happened`."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.happened = False

    def __enter__(self) -> Hangup:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.happened = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._watcher.cancel()
        if self.happened and kind is asyncio.CancelledError:
            self._task.uncancel()
            return True
        return False


async def together(work: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for all; where one fails the others are cancelled, and its exception is raised as it is."""
    waiting = list(work)
    if len(waiting) == 1:
        return [await waiting[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_awaited(one)) for one in waiting]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def _awaited(work: Awaitable[T]) -> T:
    return await work
