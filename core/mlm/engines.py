"""Engines shared by the steps of a run: each model is loaded once, and greedy answers are asked once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence

from mlm.artifacts import Model
from mlm.serving import Engine, Generation, Sampling, Tokenizer


class RememberingEngine:
    """An engine that remembers greedy continuations, so that evaluations of one model share them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[tuple[tuple[int, ...], Sampling], Generation] = {}
        self.tokenizer: Tokenizer = engine.tokenizer
        self.backend = engine.backend
        self.max_length = engine.max_length

    def generate(self, prompts: Sequence[Sequence[int]], sampling: Sampling) -> list[Generation]:
        if sampling.temperature > 0:
            return self._engine.generate(prompts, sampling)
        keys = [(tuple(prompt), sampling) for prompt in prompts]
        unknown = list(dict.fromkeys(key for key in keys if key not in self._known))
        if unknown:
            answers = self._engine.generate([prompt for prompt, _ in unknown], sampling)
            self._known.update(zip(unknown, answers, strict=True))
        return [self._known[key] for key in keys]

    def stream(self, prompt: Sequence[int], sampling: Sampling) -> AsyncGenerator[Sequence[int], None]:
        return self._engine.stream(prompt, sampling)

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        return self._engine.logprobs(sequences)

    def close(self) -> None:
        self._engine.close()


class EnginePool:
    """Loads engines on demand and keeps the few that were used last."""

    def __init__(self, load: Callable[[Model], Engine], size: int = 3) -> None:
        self._load, self._size = load, size
        self._engines: dict[str, RememberingEngine] = {}

    def get(self, model: Model, fresh: bool = False) -> Engine:
        if fresh:
            return self._load(model)
        if model.digest not in self._engines:
            if len(self._engines) >= self._size:
                self._engines.pop(next(iter(self._engines))).close()
            self._engines[model.digest] = RememberingEngine(self._load(model))
        engine = self._engines.pop(model.digest)
        self._engines[model.digest] = engine
        return engine

    def close(self) -> None:
        while self._engines:
            self._engines.popitem()[1].close()
