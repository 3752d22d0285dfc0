"""The engine over a fake model that always says the next number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import mlm
from mlm_plugins.servers.engine import BatchingEngine
from mlm_plugins.servers.limits import Limits

VOCABULARY = 50


class FakeSession:
    """Answers each token with the one `stride` after it, and records how many rows each pass had."""

    backend = "fake"

    def __init__(self) -> None:
        self.passes: list[int] = []
        self.stride = 1

    def no_past(self, rows: int) -> list[Any]:
        return [np.empty((rows, 1, 0, 1), np.float32)]

    def forward(self, ids: Any, mask: Any, positions: Any, past: list[Any]) -> tuple[Any, list[Any]]:
        self.passes.append(len(ids))
        cache = np.concatenate([past[0], np.zeros((len(ids), 1, ids.shape[1], 1), np.float32)], axis=2)
        return 9 * np.eye(VOCABULARY, dtype=np.float32)[(ids + self.stride) % VOCABULARY], [cache]

    def unpack(self, part: Any) -> Any:
        return part

    def pack(self, array: Any) -> Any:
        return array


class FakeTokenizer:
    """Numbers separated by spaces; 40 ends a text."""

    eos_ids = frozenset({40})

    def encode(self, text: str) -> list[int]:
        return [int(word) for word in text.split()]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(f"{token} " for token in ids)

    def chat(self, messages: Sequence[mlm.Message]) -> list[int]:
        return self.encode(str(messages[-1]["content"]))


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def engine(session: FakeSession) -> Iterator[BatchingEngine]:
    limits = Limits(max_length=10**6, vocabulary=VOCABULARY)
    engine = BatchingEngine(session, FakeTokenizer(), limits, slots=4, queue=4, max_prefills=2)
    yield engine
    engine.close()


def test_the_end_token_ends_a_text_and_is_not_part_of_it(engine: BatchingEngine) -> None:
    assert engine.generate([[37]], mlm.Sampling()) == [mlm.Generation((38, 39), "38 39 ", "stop")]


def test_max_tokens_end_a_text_for_its_length(engine: BatchingEngine) -> None:
    assert engine.generate([[3]], mlm.Sampling(max_tokens=2)) == [mlm.Generation((4, 5), "4 5 ", "length")]


def test_a_stop_string_over_two_tokens_is_cut_off(engine: BatchingEngine) -> None:
    made = engine.generate([[3]], mlm.Sampling(stop=("6 7",)))

    assert made == [mlm.Generation((4, 5, 6, 7), "4 5 ", "stop")]


async def test_a_closed_stream_is_computed_no_further(engine: BatchingEngine, session: FakeSession) -> None:
    session.stride = 2  # odd numbers only: it never meets 40, its end
    endless = engine.stream([1], mlm.Sampling(max_tokens=10**5))
    await anext(endless)
    await endless.aclose()
    before = len(session.passes)
    engine.generate([[1]], mlm.Sampling(max_tokens=10))

    assert 2 not in session.passes[before + 1 :]


async def test_a_bad_request_harms_no_other(engine: BatchingEngine) -> None:
    stream = engine.stream([1], mlm.Sampling(max_tokens=30))
    got = list(await anext(stream))
    with pytest.raises(ValueError, match="vocabulary"):
        engine.generate([[VOCABULARY]], mlm.Sampling())
    with pytest.raises(ValueError, match="max_tokens"):
        engine.generate([[1]], mlm.Sampling(max_tokens=0))
    got += [token async for ids in stream for token in ids]

    assert list(range(2, 32)) == got


def test_more_prompts_than_the_queue_holds_are_all_answered(engine: BatchingEngine) -> None:
    made = engine.generate([[token] for token in range(30)], mlm.Sampling(max_tokens=3))

    assert [(token + 1, token + 2, token + 3) for token in range(30)] == [one.ids for one in made]
