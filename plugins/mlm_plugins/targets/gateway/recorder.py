"""Exchanges on their way to the registry: in batches, by one thread, never in the way of a request."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from mlm_registry import Exchange

ROWS = 64
SECONDS = 0.1
CAPACITY = 20_000
"""Exchanges that may wait while the registry cannot be written; more are lost, and counted."""
_RETRY_SECONDS = 1.0
_log = logging.getLogger("mlm.gateway")
Write = Callable[[Sequence[Exchange]], None]


class Recorder:
    """Writes exchanges when 64 are there or 100 ms have passed."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._queue: queue.SimpleQueue[Exchange | threading.Event] = queue.SimpleQueue()
        self._batch: list[Exchange] = []
        self._closing = threading.Event()
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="mlm-recorder", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Exchanges that are not written yet."""
        return self._queue.qsize() + len(self._batch)

    def put(self, exchange: Exchange) -> None:
        """Take an exchange; returns at once."""
        if self.waiting >= CAPACITY:
            self.lost += 1
        else:
            self._queue.put(exchange)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was put before is written; False where that took too long."""
        written = threading.Event()
        self._queue.put(written)
        return written.wait(timeout)

    def close(self) -> None:
        """Write what is left and end the thread; what still cannot be written is lost."""
        self._closing.set()
        self.flush()
        self._thread.join(timeout=5.0)
        self.lost += self.waiting
        if self.lost:
            _log.error("%d exchanges were not recorded", self.lost)

    def _run(self) -> None:
        while True:
            asked = self._collect()
            while not self._written() and not self._closing.wait(_RETRY_SECONDS):
                pass
            for written in asked:
                written.set()
            if self._closing.is_set() and self._queue.empty():
                return

    def _collect(self) -> list[threading.Event]:
        """Fill the batch; a flush ends it at once."""
        item = self._queue.get()
        deadline = time.monotonic() + SECONDS
        while isinstance(item, Exchange):
            self._batch.append(item)
            if len(self._batch) >= ROWS:
                return []
            try:
                item = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return []
        return [item]

    def _written(self) -> bool:
        if not self._batch:
            return True
        try:
            self._write(self._batch)
        except Exception as error:
            _log.error("%d exchanges could not be recorded, trying again: %s", len(self._batch), error)
            return False
        self._batch = []
        return True
