"""Engines of a run: each model is loaded once, and a greedy question asked once."""

from __future__ import annotations

from pathlib import Path

from mlm_fakes.memory import MemoryEngine

import mlm
from mlm.engines import EnginePool, RememberingEngine

GREEDY = mlm.Sampling()


def ids(text: str) -> list[int]:
    return [ord(character) for character in text]


def test_a_greedy_question_is_asked_once() -> None:
    engine = MemoryEngine({"one?": "1", "two?": "2"})
    remembering = RememberingEngine(engine)

    first = remembering.generate([ids("one?"), ids("one?"), ids("two?")], GREEDY)
    second = remembering.generate([ids("two?"), ids("one?")], GREEDY)

    assert [answer.text for answer in first] == ["1", "1", "2"]
    assert [answer.text for answer in second] == ["2", "1"]
    assert engine.asked == 2


def test_a_question_of_another_length_is_another_question() -> None:
    engine = MemoryEngine({"one?": "eleven"})
    remembering = RememberingEngine(engine)

    answers = [remembering.generate([ids("one?")], mlm.Sampling(max_tokens=n))[0].text for n in (3, 6)]

    assert answers == ["ele", "eleven"]


def test_a_sampled_question_is_asked_every_time() -> None:
    engine = MemoryEngine({})
    remembering = RememberingEngine(engine)

    for _ in range(3):
        remembering.generate([ids("one?")], mlm.Sampling(temperature=0.7))

    assert engine.asked == 3


def test_a_pool_loads_each_model_once_and_keeps_the_few_used_last(tmp_path: Path) -> None:
    loaded: dict[str, MemoryEngine] = {}

    def load(model: mlm.Model) -> MemoryEngine:
        assert model.digest not in loaded
        return loaded.setdefault(model.digest, MemoryEngine({}))

    pool = EnginePool(load, size=2)
    models = {name: mlm.Model(tmp_path, digest=name) for name in "abc"}

    for name in "abac":
        pool.get(models[name])

    assert {name: engine.closed for name, engine in loaded.items()} == {"a": False, "b": True, "c": False}
    pool.close()
    assert all(engine.closed for engine in loaded.values())


def test_a_fresh_engine_is_the_callers_own(tmp_path: Path) -> None:
    engines = [MemoryEngine({}), MemoryEngine({})]
    left = list(engines)
    pool = EnginePool(lambda model: left.pop(0))

    assert pool.get(mlm.Model(tmp_path, digest="a"), fresh=True) is engines[0]
    pool.get(mlm.Model(tmp_path, digest="a"))
    pool.close()
    assert [engine.closed for engine in engines] == [False, True]
