"""Shouting in rows and in answers."""

from pathlib import Path

import pyarrow as pa
import pytest
from mlm_shout.evaluators import Shouting
from mlm_shout.transforms import Unshout

import mlm
from mlm.testing import EvaluatorConformance, ScriptedEngine, TransformConformance


def batch(*prompts: str) -> mlm.Batch:
    rows = [str(number) for number in range(len(prompts))]
    return mlm.Batch(pa.table({"row_id": rows, "source": rows, "prompt": prompts}))


def test_a_row_that_shouts_becomes_a_sentence_and_is_counted() -> None:
    calm = Unshout().mlm_map(batch("WHERE IS MEDLOW?", "Where is Aldport?", "NATO"))

    assert calm.strings("prompt") == ["Where is medlow?", "Where is Aldport?", "NATO"]
    assert [(change.reason, change.row_ids) for change in calm.changes] == [("unshouted", ("0",))]


def test_the_share_of_shouted_answers_is_measured(tmp_path: Path) -> None:
    answers = {"Who?": "GO AWAY NOW!", "What?": "A boat.", "When?": "Today.", "Where?": "At sea."}
    problem = mlm.Problem(name="test", task="chat", purpose="Answer calmly.")
    context = mlm.Context(tmp_path, tmp_path, tmp_path, problem, load=lambda model, fresh: ScriptedEngine(answers))
    with context.writer() as writer:
        writer.write(batch(*answers))

    report = Shouting().mlm_evaluate(mlm.Model(tmp_path), writer.dataset, context)

    [measure] = report.measures
    assert measure.value == pytest.approx(1 / 4)
    assert [example.score for example in report.examples] == [1.0, 0.0, 0.0, 0.0]


class TestUnshout(TransformConformance):
    plugin = Unshout


class TestShouting(EvaluatorConformance):
    plugin = Shouting
