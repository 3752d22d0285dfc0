"""Shouting in rows and in answers."""

from pathlib import Path

import pyarrow as pa
import pytest
from mlm_shout.evaluators import Shouting
from mlm_shout.transforms import Unshout

import mlm


def batch(*prompts: str) -> mlm.Batch:
    rows = [str(number) for number in range(len(prompts))]
    return mlm.Batch(pa.table({"row_id": rows, "source": rows, "prompt": prompts}))


def test_a_row_that_shouts_becomes_a_sentence_and_is_counted() -> None:
    calm = Unshout().mlm_map(batch("WHERE IS MEDLOW?", "Where is Aldport?", "NATO"))

    assert calm.strings("prompt") == ["Where is medlow?", "Where is Aldport?", "NATO"]
    assert calm.changes == {"unshouted": 1}


class Parrot:
    """An engine that answers with the prompt; its tokens are code points."""

    backend = "parrot"
    tokenizer: "Parrot"

    def __init__(self) -> None:
        self.tokenizer = self

    def chat(self, messages: list[dict[str, str]]) -> list[int]:
        return [ord(letter) for letter in messages[-1]["content"]]

    def generate(self, prompts: list[list[int]], sampling: mlm.Sampling) -> list[mlm.Generation]:
        return [mlm.Generation(tuple(ids), "".join(map(chr, ids)), "stop") for ids in prompts]


def test_the_share_of_shouted_answers_is_measured(tmp_path: Path) -> None:
    problem = mlm.Problem(name="test", task="chat", purpose="Say it again.")
    context = mlm.Context(tmp_path, tmp_path, tmp_path, problem, load=lambda model, fresh: Parrot())
    with context.writer() as writer:
        writer.write(batch("GO AWAY NOW!", "What is it?", "Who is there?", "When was that?"))

    report = Shouting().mlm_evaluate(mlm.Model(tmp_path), writer.dataset, context)

    [measure] = report.measures
    assert measure.value == pytest.approx(1 / 4)
    assert [example.score for example in report.examples] == [1.0, 0.0, 0.0, 0.0]
