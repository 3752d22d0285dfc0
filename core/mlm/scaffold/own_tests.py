"""What the test class of a first plugin has besides the kit: what it needs at hand, and a test of its values."""

from __future__ import annotations

LINES = """
    def configure(self, folder: Path) -> dict[str, Any]:
        (folder / "lines.txt").write_text("one\\ntwo\\n", encoding="utf-8")
        return {"path": folder / "lines.txt"}
"""
FOLDER = """
    def configure(self, folder: Path) -> dict[str, Any]:
        (folder / "weights.json").write_text("{}", encoding="utf-8")
        return {"path": folder}
"""
MODEL = """
    def model(self, folder: Path) -> mlm.Model:
        (folder / "weights.json").write_text("{}", encoding="utf-8")
        return mlm.Model(folder, "weights")
"""
ANSWERS = """
    def test_the_share_of_answered_prompts_is_measured(self, tmp_path: Path) -> None:
        answers = {"Who?": "A pilot.", "What?": " ", "When?": "At nine.", "Where?": "At sea."}
        rows = [{"prompt": prompt} for prompt in answers]
        bench = Bench("evaluators", self.plugin, tmp_path, rows=rows, engine_of=lambda model: ScriptedEngine(answers))

        report = bench.plugin().evaluate(bench.model(), bench.dataset(), bench.context())

        [measure] = report.measures
        assert (measure.value, measure.n, measure.unit) == (3 / 4, 4, "share")
        assert [example.score for example in report.examples] == [1.0, 0.0, 1.0, 1.0]
"""
