"""Continuous batching: requests join and leave a running batch between two steps (Yu et al. 2022, Orca)."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

import mlm
from mlm_plugins.servers.request import Request

if TYPE_CHECKING:
    from mlm_plugins.servers.session import Floats

News = tuple[Request, Sequence[int]]
MOST_FAILURES = 3
"""Turns in a row that may fail, each with its requests: then it is the engine that is broken, and it stops."""
_log = logging.getLogger("mlm.engine")


class Rows(Protocol):
    """The batch that the scheduler drives; only its thread calls it."""

    def join(self, prompts: Sequence[Sequence[int]]) -> Floats:
        """Append rows for prompts of equal length, or none where it raises; return logits (prompts, vocabulary)."""
        ...

    def step(self, tokens: Sequence[int]) -> Floats:
        """Append one token to each row; return the next logits (rows, vocabulary)."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all rows but these."""
        ...


class Scheduler:
    """Owns the thread that computes; everything else only fills its queue."""

    def __init__(self, rows: Rows, *, slots: int, queue: int, max_prefills: int) -> None:
        self._rows = rows
        self._slots, self._queue, self._max_prefills = slots, queue, max_prefills
        self._changed = threading.Condition()
        self._waiting: deque[Request] = deque()
        self._live: list[Request] = []
        self._stopped: mlm.EngineStopped | None = None
        self._thread = threading.Thread(target=self._run, name="mlm-engine", daemon=True)
        self._thread.start()

    def submit(self, request: Request, *, wait: bool = False) -> None:
        """Queue a request; where the queue is full wait for room, or raise Busy."""
        with self._changed:
            # Slots are filled only at the next step, so a burst may use the free ones as queue.
            while self._stopped is None and len(self._waiting) + len(self._live) >= self._queue + self._slots:
                if not wait:
                    raise mlm.Busy(f"{len(self._waiting)} requests are waiting; try again later")
                self._changed.wait()
            if self._stopped is not None:
                raise mlm.EngineStopped(str(self._stopped)) from self._stopped
            self._waiting.append(request)
            self._changed.notify_all()

    def cancel(self, request: Request) -> None:
        """Free the request's slot at the next step."""
        with self._changed:
            request.cancelled = True
            self._changed.notify_all()

    def close(self) -> None:
        """Stop the thread; requests that have not ended fail."""
        with self._changed:
            self._stopped = self._stopped or mlm.EngineStopped("the engine was closed")
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        failures = 0
        try:
            while self._stopped is None:
                failed = self._turn()
                failures = failures + 1 if failed else 0
                if failed and failures == MOST_FAILURES:
                    raise failed
        except BaseException as error:  # the thread must not die without telling those who wait
            self._fail(mlm.EngineStopped(f"the engine broke: {type(error).__name__}: {error}"), error)
        else:
            self._fail(self._stopped)

    def _turn(self) -> Exception | None:
        """Let requests join and take one step; return what failed, which has failed the requests at hand."""
        try:
            self._leave()
            news, failed = self._prefill(self._next())
            self._deliver(news)
            self._leave()
            self._deliver(self._decode())
        except Exception as error:
            self._lose(self._live, error)
            self._rows.keep([])
            return error
        return failed

    def _lose(self, requests: Sequence[Request], error: Exception) -> None:
        """Fail these requests; those that wait, and the rest of the batch, go on."""
        _log.error("%d requests failed in the engine", len(requests), exc_info=error)
        with self._changed:
            self._live = [request for request in self._live if request not in requests]
            self._changed.notify_all()
        failure = RuntimeError(f"the engine failed in this step: {type(error).__name__}: {error}")
        failure.__cause__ = error
        self._deliver([(request, ()) for request in requests if not request.told], failure)

    def _next(self) -> list[Request]:
        """Wait for work; return the requests that join now."""
        with self._changed:
            while self._stopped is None and not self._waiting and not self._live:
                self._changed.wait()
            joining: list[Request] = []
            while self._waiting and len(joining) < min(self._max_prefills, self._slots - len(self._live)):
                request = self._waiting.popleft()
                if not request.cancelled:
                    joining.append(request)
            self._live += joining
            self._changed.notify_all()
        return joining

    def _leave(self) -> None:
        staying = [row for row, request in enumerate(self._live) if not request.leaves]
        if len(staying) < len(self._live):
            self._rows.keep(staying)
            with self._changed:
                self._live = [self._live[row] for row in staying]
                self._changed.notify_all()

    def _prefill(self, joining: Iterable[Request]) -> tuple[list[News], Exception | None]:
        news: list[News] = []
        failed: Exception | None = None
        for _, group in groupby(joining, key=lambda request: len(request.prompt)):
            requests = list(group)
            try:
                logits = self._rows.join([request.prompt for request in requests])
            except Exception as error:
                self._lose(requests, error)
                failed = error
                continue
            news += [(request, request.accept(row)) for request, row in zip(requests, logits, strict=True)]
        return news, failed

    def _decode(self) -> list[News]:
        if not self._live:
            return []
        logits = self._rows.step([request.ids[-1] for request in self._live])
        return [(request, request.accept(row)) for request, row in zip(self._live, logits, strict=True)]

    def _deliver(self, news: Sequence[News], error: RuntimeError | None = None) -> None:
        """Tell each event loop once, and each waiting thread."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Request, Sequence[int], bool]]] = {}
        for request, ids in news:
            request.told = ended = error is not None or request.finish_reason is not None
            if request.box.loop is None:
                request.box.put(ids, ended, error)
            else:
                by_loop.setdefault(request.box.loop, []).append((request, ids, ended))
        for loop, messages in by_loop.items():
            try:
                loop.call_soon_threadsafe(_put_all, messages, error)
            except RuntimeError:  # the loop was closed under its requests; nobody waits for them any more
                for request, _, _ in messages:
                    request.cancelled = True

    def _fail(self, error: mlm.EngineStopped | None, cause: BaseException | None = None) -> None:
        if error is not None:
            error.__cause__ = cause
        with self._changed:
            self._stopped = error
            unfinished = [request for request in (*self._live, *self._waiting) if not request.told]
            self._live, self._waiting = [], deque()
            self._changed.notify_all()
        self._deliver([(request, ()) for request in unfinished], error)


def _put_all(messages: Sequence[tuple[Request, Sequence[int], bool]], error: RuntimeError | None) -> None:
    for request, ids, ended in messages:
        request.box.put(ids, ended, error)
