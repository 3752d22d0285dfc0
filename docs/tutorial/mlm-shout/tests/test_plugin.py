"""Shouting in rows and in answers."""

from pathlib import Path

import mlm
import pyarrow as pa
import pytest
from mlm.testing import Bench, EvaluatorConformance, ScriptedEngine, TransformConformance, read_rows

from mlm_shout.plugin import ShoutEvaluator
from mlm_shout.transforms import Unshout


class TestShoutEvaluator(EvaluatorConformance):
    plugin = ShoutEvaluator
    rows = read_rows(Path(__file__).with_name("rows.jsonl"))

    @pytest.mark.parametrize(("answer", "rate"), [("GO AWAY NOW!", 1 / 4), ("Go away now!", 0.0)])
    def test_the_share_of_shouted_answers_is_measured(self, tmp_path: Path, answer: str, rate: float) -> None:
        answers = {"Who?": answer, "What?": "A boat.", "When?": "Today.", "Where?": "At sea."}
        rows = [{"prompt": prompt} for prompt in answers]
        bench = Bench("evaluators", self.plugin, tmp_path, rows=rows, engine_of=lambda model: ScriptedEngine(answers))

        report = bench.plugin().evaluate(bench.model(), bench.dataset(), bench.context())

        loud, words = report.measures
        assert (loud.value, loud.n, loud.unit) == (rate, 4, "share")
        assert (words.value, words.unit) == (2.0, "words")
        assert [example.score for example in report.examples] == [4 * rate, 0.0, 0.0, 0.0]


class TestUnshout(TransformConformance):
    plugin = Unshout

    def test_a_row_that_shouts_becomes_a_sentence_and_is_counted(self) -> None:
        prompts = ["WHERE IS MEDLOW?", "Where is Aldport?", "NATO"]
        batch = mlm.Batch(pa.table({"row_id": ["0", "1", "2"], "source": ["a", "b", "c"], "prompt": prompts}))

        calm = self.plugin().mlm_map(batch)

        assert calm.strings("prompt") == ["Where is medlow?", "Where is Aldport?", "NATO"]
        assert [(change.reason, change.row_ids) for change in calm.changes] == [("unshouted", ("0",))]
