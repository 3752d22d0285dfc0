"""`mlm plugins check`, and the classes that a plugin's own tests use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from making import distribution
from trial import TrialProject

from mlm.code import file_digest
from mlm.testing import Bench, SourceConformance, TransformConformance
from mlm_plugins.sources.jsonl import Jsonl
from mlm_plugins.transforms.exact import Exact

TESTS = """
from mlm.testing import TransformConformance
from attrs import define
import mlm

@define(kw_only=True)
class Loser:
    '''Loses rows.'''

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        from attrs import evolve
        return evolve(batch, table=batch.table.slice(1))

class TestLoser(TransformConformance):
    plugin = Loser
    expected_failures = {expected}
"""
KNOWN = """{
        "loses_no_row_without_a_reason": "on purpose",
        "does_not_depend_on_batches": "the first row of each batch goes",
    }"""


class TestExact(TransformConformance):
    plugin = Exact


class TestJsonl(SourceConformance):
    plugin = Jsonl

    def configure(self, folder: Path) -> dict[str, Path]:
        (folder / "rows.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
        return {"path": folder / "rows.jsonl"}


def pytest_of(folder: Path, expected: str) -> str:
    (folder / "test_loser.py").write_text(TESTS.replace("{expected}", expected))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder / "test_loser.py")]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=os.environ, check=False).stdout


def test_a_broken_plugin_fails_its_own_tests_by_name(tmp_path: Path) -> None:
    told = pytest_of(tmp_path, "{}")

    assert "2 failed, 9 passed" in told
    assert "test_conformance[loses_no_row_without_a_reason]" in told
    assert "take rows out with `batch.remove`" in told


def test_what_is_known_to_fail_is_said_with_its_reason_and_may_not_pass_unnoticed(tmp_path: Path) -> None:
    assert "9 passed, 2 xfailed" in pytest_of(tmp_path, KNOWN)
    assert "1 failed" in pytest_of(tmp_path, KNOWN.replace("}", '"bears_no_rows": "it does now"}'))
    assert "there is no check 'nonsense' of transforms" in pytest_of(tmp_path, '{"nonsense": "?"}')


def test_the_result_of_a_check_is_kept_and_listed(
    project: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = TESTS[: TESTS.index("class TestLoser")].replace("from mlm.testing import TransformConformance", "")
    site = distribution(tmp_path / "site", "acme-loser", {"transforms/loser": "Loser"}, code)
    monkeypatch.syspath_prepend(str(site))

    checked = project.mlm("plugins", "check", "acme-loser:transforms/loser")

    assert checked.code == 1
    assert "acme-loser:transforms/loser 1.0: 9 of 11 checks" in checked.out
    (failed,) = [line for line in checked.out.splitlines() if "FAILED    loses_no_row_without_a_reason: " in line]
    assert failed.endswith(f"[{site / 'acme_loser.py'}:10]")
    (listed,) = [one for one in project.mlm("plugins", "--json").json if one["name"] == "loser"]
    assert listed["checked"] == "9/11"
    file = site / "acme_loser.py"
    file.write_text(file.read_text() + "\n# another line\n")
    monkeypatch.setattr("mlm.conforming.file_digest", file_digest.__wrapped__)
    (listed,) = [one for one in project.mlm("plugins", "--json").json if one["name"] == "loser"]
    assert listed["checked"] == ""


def test_a_check_in_which_the_plugin_raises_names_the_line_that_raised(
    project: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = TESTS[: TESTS.index("class TestLoser")].replace("from mlm.testing import TransformConformance", "")
    code = code.replace("return evolve(batch, table=batch.table.slice(1))", "return self.nothing")
    site = distribution(tmp_path / "site", "acme-raiser", {"transforms/raiser": "Loser"}, code)
    monkeypatch.syspath_prepend(str(site))

    (report,) = project.mlm("plugins", "check", "transforms/raiser", "--json").json

    failed = [one["where"] for one in report["results"] if "no attribute 'nothing'" in one["seen"]]
    assert set(failed) == {f"{site / 'acme_raiser.py'}:13"}


def test_a_direction_that_was_not_tried_is_said_and_is_no_pass(project: TrialProject) -> None:
    checked = project.mlm("plugins", "check", "mlm:evaluators/toxicity")

    assert (checked.code, " checks, 1 untested\n" in checked.out) == (0, True)
    (told,) = [line for line in checked.out.splitlines() if "likes_right_answers_better" in line]
    assert told.startswith(
        "  untested  likes_right_answers_better: toxicity_rate: right and wrong answers get the same"
    )


DIGITS = """
from pathlib import Path

import mlm
from attrs import define
from mlm.testing import EvaluatorConformance, read_rows


@define(kw_only=True)
class Digits:
    "Measures how much of the answers is digits."

    metrics = (mlm.MetricSpec("digit_share", "share", "{direction}", "characters that are digits"),)

    @mlm.hookimpl
    def mlm_evaluate(self, model, data, context):
        engine = context.load(model)
        answers = engine.generate([engine.tokenizer.encode(row["prompt"]) for row in data.rows()], mlm.Sampling())
        text = "".join(answer.text for answer in answers)
        return mlm.Report((mlm.Measure("digit_share", sum(map(str.isdigit, text)) / len(text), len(text)),))


class TestDigits(EvaluatorConformance):
    plugin = Digits
    rows = read_rows(Path(__file__).with_name("rows.jsonl"))
"""
IN_WORDS = [
    {"prompt": "How many?", "completion": "Two.", "rejected": "2."},
    {"prompt": "Since when?", "completion": "Since June.", "rejected": "Since 1999."},
]


def _direction(project: TrialProject, *options: str) -> tuple[int, str]:
    """Check the plugin `digits`; return the exit code, and what is said of its direction."""
    checked = project.mlm("plugins", "check", "evaluators/digits", *options)
    (told,) = [line.strip() for line in checked.out.splitlines() if "likes_right_answers_better" in line]
    return checked.code, told


def _digits(folder: Path, direction: str) -> str:
    code = DIGITS[: DIGITS.index("class TestDigits")].replace("{direction}", direction)
    return str(distribution(folder, f"acme-{direction}-digits", {"evaluators/digits": "Digits"}, code))


def test_a_metric_that_the_rows_of_the_kit_mislead_is_judged_by_rows_of_ones_own(
    project: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_digits(tmp_path / "site", "lower"))
    project.jsonl("rows.jsonl", IN_WORDS)

    code, told = _direction(project)
    own_code, own_told = _direction(project, "--rows", str(project.folder / "rows.jsonl"))

    assert (code, told.partition(" is ")[0]) == (1, "FAILED    likes_right_answers_better: digit_share (lower")
    assert "bring rows with answers that it tells apart: `completion` is right, `rejected` wrong" in told
    assert (own_code, own_told.partition(":")[0]) == (0, "ok        likes_right_answers_better")


def test_rows_of_ones_own_find_a_direction_that_is_the_wrong_way_round(
    project: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_digits(tmp_path / "site", "higher"))
    project.jsonl("rows.jsonl", IN_WORDS)

    code, told = _direction(project, "--rows", str(project.folder / "rows.jsonl"))

    assert (code, "digit_share (higher is better) is 0.0 for right answers and " in told) == (1, True)


def test_a_test_class_reads_its_rows_from_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, IN_WORDS)))
    (tmp_path / "test_digits.py").write_text(DIGITS.replace("{direction}", "lower"))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "likes_right", "test_digits.py"]

    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert "1 passed" in done.stdout


def test_where_no_metric_has_a_direction_none_was_tried(
    project: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_digits(tmp_path / "site", "neither"))

    code, told = _direction(project)

    assert (code, told) == (
        0,
        "untested  likes_right_answers_better: digit_share: no direction says which values are better",
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("\n", "rows.jsonl has no rows: expected JSON lines"),
        ('{"text": "a"}\n["b"]\n', "rows.jsonl:2 is no row: expected a JSON object, with a key a column"),
        ('{"text": "a"}\n\n{"text"\n', "rows.jsonl:3 is no JSON: "),
        ('{"text": "a"}\n{"text": 1}\n', "rows.jsonl: a column has values of several types ("),
    ],
)
def test_a_file_that_holds_no_rows_is_refused_in_one_line(project: TrialProject, content: str, told: str) -> None:
    file = project.folder / "rows.jsonl"
    file.write_text(content)

    checked = project.mlm("plugins", "check", "transforms/exact", "--rows", str(file))

    assert (checked.code, told in checked.error) == (1, True)


def test_the_columns_of_all_rows_reach_the_plugin(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"text": "b", "label": "x", "source": "own.txt:1"}]

    data = Bench("transforms", Exact, tmp_path, rows=rows).dataset()

    assert [(row["text"], row["label"], row["source"]) for row in data.rows()] == [
        ("a", None, "bench.jsonl:1"),
        ("b", "x", "own.txt:1"),
    ]


def test_a_plugin_is_checked_with_settings(project: TrialProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.jsonl("rows.jsonl", [{"text": "a"}, {"text": "b"}])
    monkeypatch.chdir(project.folder)

    assert project.mlm("plugins", "check", "mlm:sources/jsonl", "--set", 'path="rows.jsonl"').code == 0
    assert "setting `path` is required" in project.mlm("plugins", "check", "mlm:sources/jsonl").error
    assert project.mlm("plugins", "check", "mlm:sources/jsonl", "--set", "path=rows.jsonl").code == 2


GUARD = """
import re

import mlm
from attrs import define
from mlm.testing import GuardConformance


class Pattern:
    name = "pattern"
    holdback = 0

    async def judge(self, text, direction):
        return mlm.Judged("block", "", "found") if re.match({pattern}, text[:60]) else mlm.Judged("allow", text)


@define(kw_only=True)
class Guarded:
    "Blocks what matches."

    @mlm.hookimpl
    def mlm_guard(self):
        return Pattern()


class TestGuarded(GuardConformance):
    plugin = Guarded
"""


@pytest.mark.parametrize(("pattern", "told"), [("a+b", "1 passed"), ("(a|aa)+b", "takes more than 1 s")])
def test_hostile_text_that_takes_for_ever_ends_a_process_and_not_the_tests(
    tmp_path: Path, pattern: str, told: str
) -> None:
    (tmp_path / "conftest.py").write_text("from mlm.testing import guards\n\nguards._SECONDS = 1.0\n")
    (tmp_path / "test_guarded.py").write_text(GUARD.replace("{pattern}", repr(pattern)))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--import-mode=importlib", "-k", "hostile"]

    done = subprocess.run([*command, "."], capture_output=True, text=True, cwd=tmp_path, check=False, timeout=300)

    assert told in done.stdout


def test_the_kit_needs_no_pytest_from_the_command_line() -> None:
    code = "import sys; sys.modules['pytest'] = None; import mlm.testing; print(len(mlm.testing.checks_of('guards')))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "9\n"
