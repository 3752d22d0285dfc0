"""Spreads the passes of data steps over worker processes of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define
from attrs.validators import ge

import mlm

if TYPE_CHECKING:
    from mlm.shards import Shard


@define(kw_only=True)
class Processes:
    """Runs steps in this process, and the row-wise passes of data steps in several.

    What comes out does not depend on their number.
    """

    workers: int = mlm.setting(
        factory=lambda: len(os.sched_getaffinity(0)), validator=ge(1), help="worker processes; default: one a core"
    )

    @mlm.hookimpl
    def mlm_execute(self, work: Callable[[], Any], context: mlm.Context) -> Any:
        return work()

    @mlm.hookimpl
    def mlm_spread(self, work: Callable[[Shard], int], shards: Sequence[Shard], context: mlm.Context) -> Iterator[int]:
        workers = min(self.workers, len(shards))
        return map(work, shards) if workers <= 1 else _spread(work, shards, workers)


def _spread(work: Callable[[Shard], int], shards: Sequence[Shard], workers: int) -> Iterator[int]:
    import pickle
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    try:
        pickle.dumps(work)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise mlm.PluginError(f"a transform cannot be sent to a worker process ({error}): set workers = 1") from None
    # Started anew, not forked: threads of this process hold locks that a fork would keep for ever.
    with ProcessPoolExecutor(workers, get_context("spawn"), _end_with_parent) as pool:
        futures = [pool.submit(work, shard) for shard in shards]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            raise mlm.MlmError(
                "a worker process was ended, perhaps for want of memory: run again to go on, with fewer workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """Let this worker end when the process that started it is gone, however that ended."""
    import signal
    import threading
    from multiprocessing import connection, parent_process

    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
