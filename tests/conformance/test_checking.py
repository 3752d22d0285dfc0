"""`mlm plugins check`, and the classes that a plugin's own tests use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from making import distribution
from trial import TrialProject

from mlm.code import file_digest
from mlm.testing import SourceConformance, TransformConformance
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
