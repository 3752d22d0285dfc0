"""A model that knows its training rows by heart: small enough for tests, and yet trained, served and wrong at times."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

from attrs import define, field

import mlm
from mlm.testing.scripted import CodePoints

FILE = "memory.json"
UNKNOWN = "I do not know."


@define(kw_only=True)
class Blank:
    """A model that knows nothing yet."""

    license: str = mlm.setting("MIT", help="what its metadata states")

    @mlm.hookimpl
    def mlm_import(self, context: mlm.Context) -> mlm.Model:
        return stored({}, context.folder, license=self.license)


@define(kw_only=True)
class Memory:
    """Learns prompts and completions by heart."""

    most: int | None = mlm.setting(None, help="learns only the first rows", unit="rows")
    workers: int = mlm.setting(1, fingerprint=False, help="changes nothing in the result")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, model: mlm.Model | None, context: mlm.Context) -> mlm.Model:
        known = dict(read(model.path)) if model else {}
        unlearned = max(0, data.num_rows - self.most) if self.most is not None else 0
        for number, row in enumerate(data.rows()):
            if self.most is None or number < self.most:
                known[row["prompt"]] = row["completion"]
                context.log(number, known=len(known))
        note = {"note": f"{unlearned} rows are not learned"} if unlearned else {}
        return stored(known, context.folder, **note)


@define(kw_only=True)
class Folded:
    """The same memory in other bytes."""

    @mlm.hookimpl
    def mlm_export(self, model: mlm.Model, context: mlm.Context) -> mlm.Model:
        return stored(read(model.path), context.folder, indent=2, **model.metadata)


@define(kw_only=True)
class MemoryServer:
    """Answers from memory."""

    @mlm.hookimpl
    def mlm_load(self, model: mlm.Model, context: mlm.Context) -> mlm.Engine:
        return MemoryEngine(read(model.path))


def stored(known: Mapping[str, str], folder: Path, *, indent: int | None = None, **metadata: str) -> mlm.Model:
    """Write a memory into a model folder."""
    (folder / FILE).write_text(json.dumps(dict(known), indent=indent), encoding="utf-8")
    return mlm.Model(folder, library="memory", metadata=metadata)


def read(folder: Path) -> dict[str, str]:
    """Read the memory of a model folder."""
    return dict(json.loads((folder / FILE).read_text(encoding="utf-8")))


@define
class MemoryEngine:
    """Looks prompts up, and counts how often it was asked."""

    known: dict[str, str]
    tokenizer: mlm.Tokenizer = field(factory=CodePoints)
    backend: str = "memory 1"
    max_length: int = 10_000
    asked: int = 0
    closed: bool = False

    def generate(self, prompts: Sequence[Sequence[int]], sampling: mlm.Sampling) -> list[mlm.Generation]:
        self.asked += len(prompts)
        return [self._answer(self.tokenizer.decode(prompt), sampling) for prompt in prompts]

    def _answer(self, prompt: str, sampling: mlm.Sampling) -> mlm.Generation:
        ids = tuple(self.tokenizer.encode(self.known.get(prompt, UNKNOWN)))[: sampling.max_tokens]
        return mlm.Generation(ids, self.tokenizer.decode(ids), "stop")

    async def stream(self, prompt: Sequence[int], sampling: mlm.Sampling) -> AsyncGenerator[Sequence[int], None]:
        for token in self.generate([prompt], sampling)[0].ids:
            yield [token]

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        return [[0.0] * (len(sequence) - 1) for sequence in sequences]

    def close(self) -> None:
        self.closed = True
