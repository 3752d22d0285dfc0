"""The scheduler, over a fake batch that counts instead of computing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import mlm
from mlm_plugins.servers.request import Request, StreamBox, WaitingBox
from mlm_plugins.servers.scheduler import MOST_FAILURES, Scheduler

VOCABULARY = 97


def follow(history: Sequence[int]) -> int:
    """The fake model: the next token depends on every token before it and on their order."""
    return int(sum((place + 1) * token for place, token in enumerate(history)) % VOCABULARY)


def continuation(prompt: Sequence[int], count: int) -> list[int]:
    history = list(prompt)
    for _ in range(count):
        history.append(follow(history))
    return history[len(prompt) :]


class FakeRows:
    """Keeps the text of each row; records how it was driven; runs only while its gate is open."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []
        self.sizes: list[int] = []
        self.joins: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.breaks_at = ""

    def join(self, prompts: Sequence[Sequence[int]]) -> Any:
        assert len({len(prompt) for prompt in prompts}) == 1, "prompts of one join have one length"
        self.joins.append(len(prompts))
        self._break("join")
        self.rows += [list(prompt) for prompt in prompts]
        return self._logits(self.rows[-len(prompts) :])

    def step(self, tokens: Sequence[int]) -> Any:
        self.entered.release()
        self.gate.wait()
        self._break("step")
        for row, token in zip(self.rows, tokens, strict=True):
            row.append(token)
        self.sizes.append(len(self.rows))
        return self._logits(self.rows)

    def keep(self, rows: Sequence[int]) -> None:
        self.rows = [self.rows[row] for row in rows]

    def _break(self, place: str) -> None:
        if self.breaks_at in (place, f"{place} once"):
            self.breaks_at = self.breaks_at if self.breaks_at == place else ""
            raise ValueError("the fake is broken")

    def _logits(self, rows: Sequence[Sequence[int]]) -> Any:
        return np.eye(VOCABULARY, dtype=np.float32)[[follow(row) for row in rows]]


def request(prompt: Sequence[int], limit: int, box: WaitingBox | StreamBox) -> Request:
    return Request(prompt=prompt, limit=limit, choose=lambda row: int(row.argmax()), eos_ids=frozenset(), box=box)


@pytest.fixture
def rows() -> FakeRows:
    return FakeRows()


@pytest.fixture
def scheduler(rows: FakeRows) -> Iterator[Scheduler]:
    scheduler = Scheduler(rows, slots=4, queue=8, max_prefills=2)
    yield scheduler
    rows.gate.set()
    scheduler.close()


def run(scheduler: Scheduler, sizes: Sequence[tuple[list[int], int]]) -> list[list[int]]:
    boxes = [WaitingBox() for _ in sizes]
    requests = [request(prompt, limit, box) for (prompt, limit), box in zip(sizes, boxes, strict=True)]
    for one in requests:
        scheduler.submit(one, wait=True)
    for box in boxes:
        box.wait()
    return [one.ids for one in requests]


def ragged(count: int) -> list[tuple[list[int], int]]:
    return [([3 + i % 7] * (1 + i % 5), 1 + i % 11) for i in range(count)]


def test_ragged_requests_get_what_each_would_get_alone(scheduler: Scheduler) -> None:
    sizes = ragged(60)

    assert [continuation(*size) for size in sizes] == run(scheduler, sizes)


def test_no_more_rows_live_than_there_are_slots(scheduler: Scheduler, rows: FakeRows) -> None:
    run(scheduler, ragged(40))

    assert max(rows.sizes) == 4


def test_no_more_prompts_join_at_once_than_the_limit(scheduler: Scheduler, rows: FakeRows) -> None:
    run(scheduler, [([5], 4)] * 20)

    assert max(rows.joins) == 2


def test_prompts_of_unequal_length_join_one_after_the_other(scheduler: Scheduler, rows: FakeRows) -> None:
    rows.gate.clear()
    blocker = threading.Thread(target=run, args=(scheduler, [([1], 2)]))
    blocker.start()
    rows.entered.acquire()
    boxes = [WaitingBox(), WaitingBox()]
    for prompt, box in zip(([1, 2], [1, 2, 3]), boxes, strict=True):
        scheduler.submit(request(prompt, 1, box))
    rows.gate.set()
    for box in boxes:
        box.wait()
    blocker.join()

    assert rows.joins == [1, 1, 1]


def test_a_full_queue_is_busy(scheduler: Scheduler, rows: FakeRows) -> None:
    rows.gate.clear()
    for _ in range(4 + 8):
        scheduler.submit(request([1], 50, WaitingBox()))

    with pytest.raises(mlm.Busy, match="waiting"):
        scheduler.submit(request([1], 50, WaitingBox()))


def test_a_cancelled_request_frees_its_slot_at_the_next_step(scheduler: Scheduler, rows: FakeRows) -> None:
    rows.gate.clear()
    long = [request([7], 10**6, WaitingBox()) for _ in range(4)]
    for one in long:
        scheduler.submit(one)
    rows.entered.acquire()
    waiting = WaitingBox()
    scheduler.submit(request([9], 3, waiting))
    for one in long:
        scheduler.cancel(one)
    made = len(long[0].ids)
    rows.gate.set()
    waiting.wait()

    assert len(long[0].ids) <= made + 1
    assert rows.sizes[-1] == 1


def test_a_cancelled_request_that_waits_is_never_computed(scheduler: Scheduler, rows: FakeRows) -> None:
    rows.gate.clear()
    scheduler.submit(request([1], 3, WaitingBox()))
    rows.entered.acquire()
    late, last = request([2, 2], 3, WaitingBox()), WaitingBox()
    scheduler.submit(late)
    scheduler.submit(request([3], 3, last))
    scheduler.cancel(late)
    rows.gate.set()
    last.wait()

    assert late.ids == []


def test_a_step_that_fails_takes_its_requests_and_no_later_one(scheduler: Scheduler, rows: FakeRows) -> None:
    rows.gate.clear()
    rows.breaks_at = "step"
    boxes = [WaitingBox() for _ in range(2)]
    for box in boxes:
        scheduler.submit(request([1], 9, box))
    rows.entered.acquire()
    waiting = WaitingBox()
    last = request([2, 3], 5, waiting)
    scheduler.submit(last)
    rows.breaks_at = "step once"
    rows.gate.set()

    with pytest.raises(RuntimeError, match="the engine failed in this step: ValueError: the fake is broken"):
        boxes[0].wait()
    waiting.wait()
    assert last.ids == continuation([2, 3], 5)
    assert run(scheduler, ragged(9)) == [continuation(*size) for size in ragged(9)]


def test_a_prompt_that_cannot_join_fails_alone(scheduler: Scheduler, rows: FakeRows) -> None:
    rows.gate.clear()
    beside = WaitingBox()
    running = request([1, 2], 6, beside)
    scheduler.submit(running)
    rows.entered.acquire()
    rows.breaks_at = "join once"
    boxes = [WaitingBox(), WaitingBox()]
    for prompt, box in zip(([1], [4, 5]), boxes, strict=True):
        scheduler.submit(request(prompt, 1, box))
    rows.gate.set()

    with pytest.raises(RuntimeError, match="the engine failed in this step: ValueError"):
        boxes[0].wait()
    boxes[1].wait()
    beside.wait()
    assert running.ids == continuation([1, 2], 6)


@pytest.mark.parametrize("place", ["join", "step"])
def test_an_engine_that_fails_again_and_again_stops(scheduler: Scheduler, rows: FakeRows, place: str) -> None:
    rows.breaks_at = place
    for _ in range(MOST_FAILURES):
        box = WaitingBox()
        scheduler.submit(request([1], 9, box))
        with pytest.raises(RuntimeError, match="the engine failed in this step"):
            box.wait()
    rows.breaks_at = ""

    for _ in range(2):
        with pytest.raises(mlm.EngineStopped, match="the engine broke: ValueError: the fake is broken"):
            run(scheduler, [([1], 9)])


def test_closing_fails_what_has_not_ended(scheduler: Scheduler, rows: FakeRows) -> None:
    rows.gate.clear()
    box = WaitingBox()
    scheduler.submit(request([1], 10**6, box))
    rows.entered.acquire()
    closing = threading.Thread(target=scheduler.close)
    closing.start()
    rows.gate.set()
    closing.join()

    with pytest.raises(RuntimeError, match="closed"):
        box.wait()


async def test_a_step_tells_an_event_loop_once_whatever_the_number_of_its_requests(
    scheduler: Scheduler, rows: FakeRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    calls: list[Any] = []
    tell = loop.call_soon_threadsafe

    def counted(*args: Any) -> Any:
        calls.append(args)
        return tell(*args)

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    boxes = [StreamBox() for _ in range(4)]
    for box in boxes:
        scheduler.submit(request([4], 20, box))

    async def read(box: StreamBox) -> list[int]:
        ids, ended = await box.take()
        while not ended:
            more, ended = await box.take()
            ids += more
        return ids

    assert await asyncio.gather(*map(read, boxes)) == [continuation([4], 20)] * 4
    assert len(calls) <= len(rows.joins) + len(rows.sizes)


def test_a_closed_event_loop_harms_nobody_else(scheduler: Scheduler, rows: FakeRows) -> None:
    async def abandon() -> Request:
        one = request([1], 10**6, StreamBox())
        scheduler.submit(one)
        return one

    abandoned = asyncio.run(abandon())

    assert run(scheduler, [([5, 6], 7)]) == [continuation([5, 6], 7)]
    assert abandoned.cancelled
