"""A small engine with scripted answers, and datasets of a few rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from attrs import define, field

import mlm

BOS, END = 0, 3
MARKS = {"user": 1, "assistant": 2, "system": 4}


class LetterTokenizer:
    """One token a letter, BOS first; in a chat a mark before each message, and one that ends it."""

    eos_ids = frozenset({END})

    def encode(self, text: str) -> list[int]:
        return [BOS, *map(ord, text)]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(i) for i in ids if i > 9)

    def chat(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        turns = [[MARKS[message["role"]], *map(ord, message["content"]), END] for message in messages]
        return [token for turn in turns for token in turn] + [MARKS["assistant"]]


@define
class ScriptedEngine:
    """Answers by a function of the prompt; the log-probability of token i is -(i % 5)."""

    answer: Callable[[str], str]
    tokenizer: LetterTokenizer = field(factory=LetterTokenizer)
    backend: str = "scripted 1"
    max_length: int = 200
    prompts: list[list[int]] = field(factory=list)
    closed: bool = False

    def generate(self, prompts: Sequence[Sequence[int]], sampling: mlm.Sampling) -> list[mlm.Generation]:
        assert sampling.temperature == 0
        if any(not 0 < len(prompt) < self.max_length for prompt in prompts):
            raise ValueError("a prompt does not fit")
        self.prompts += [list(prompt) for prompt in prompts]
        texts = [self.answer(self.tokenizer.decode(prompt)) for prompt in prompts]
        return [mlm.Generation(tuple(map(ord, text[: sampling.max_tokens])), text, "stop") for text in texts]

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        return [[-float(token % 5) for token in sequence[1:]] for sequence in sequences]

    def close(self) -> None:
        self.closed = True


class Bench:
    """Evaluates a plugin on rows, with an engine a model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engines: dict[str, ScriptedEngine] = {}
        self.fresh: list[str] = []

    def model(self, name: str, answer: Callable[[str], str] | Mapping[str, str], *, chat: bool = True) -> mlm.Model:
        (self.folder / name).mkdir()
        if chat:
            (self.folder / name / "chat_template.jinja").write_text("{{ messages }}")
        lookup = answer if callable(answer) else lambda prompt: answer.get(prompt, "")
        self.engines[name] = ScriptedEngine(lookup)
        return mlm.Model(self.folder / name, ref=name)

    def data(self, rows: Iterable[Mapping[str, Any]]) -> mlm.Dataset:
        table = [{"row_id": f"r{number}", "source": "test", **row} for number, row in enumerate(rows)]
        with mlm.DatasetWriter(self.folder / "data") as writer:
            writer.write(mlm.Batch(pa.Table.from_pylist(table)))
        return writer.dataset

    def run(self, plugin: Any, model: mlm.Model, data: mlm.Dataset) -> mlm.Report:
        report = plugin.mlm_evaluate(model=model, data=data, context=self.context())
        assert [m.metric for m in report.measures] == [spec.name for spec in plugin.metrics]
        return report

    def context(self) -> mlm.Context:
        problem = mlm.Problem(name="t", task="chat", purpose="p", cost_per_cpu_hour_usd=3600.0)
        return mlm.Context(folder=self.folder, work=self.folder, project=self.folder, problem=problem, load=self._load)

    def _load(self, model: mlm.Model, fresh: bool) -> ScriptedEngine:
        if fresh:
            self.fresh.append(model.ref)
        return self.engines[model.ref]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
