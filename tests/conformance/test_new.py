"""`mlm plugins new`: a distribution of every kind whose tests, types and style are right as it was written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from trial import TrialProject

from mlm.plugins import KINDS

ROOT = Path(__file__).parents[2]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "src"), *(str(ROOT / part) for part in ("core", "plugins", "registry"))])
    environment = {**os.environ, "PYTHONPATH": path, "MYPYPATH": path}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def made(request: pytest.FixtureRequest, project: TrialProject) -> Path:
    folder = project.folder / "made"
    answer = project.mlm("plugins", "new", request.param, "second-try", folder)
    assert (answer.code, answer.err) == (0, "")
    return folder


@pytest.mark.heavy
@pytest.mark.parametrize("made", list(KINDS), indirect=True)
def test_what_new_writes_passes_its_own_tests_and_type_check(made: Path) -> None:
    tested = run(made, "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout + tested.stderr

    typed = run(made, "mypy", "--strict", "--config-file", "pyproject.toml", "src")
    assert typed.returncode == 0, typed.stdout + typed.stderr


@pytest.mark.parametrize("made", ["transforms", "guards", "servers"], indirect=True)
def test_what_new_writes_is_clean_and_complete(made: Path) -> None:
    style = run(made, "ruff", "check", "--isolated", "--line-length", "120", "--select", "E,F,I,UP,B", "src", "tests")
    assert style.returncode == 0, style.stdout
    files = {str(file.relative_to(made)) for file in made.rglob("*") if file.is_file()}

    assert files >= {
        "pyproject.toml",
        "README.md",
        ".github/workflows/test.yml",
        "src/mlm_second_try/__init__.py",
        "src/mlm_second_try/py.typed",
        "src/mlm_second_try/plugin.py",
        "tests/test_plugin.py",
    }
    texts = [(made / file).read_text() for file in files if file.endswith((".py", ".md", ".toml"))]
    assert not any(placeholder in text for text in texts for placeholder in ("<class>", "<name>", "<kind>", "<does>"))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("trainer", "x"), "there is no kind 'trainer' (kinds: starters, "),
        (("trainer", "x"), "; did you mean 'trainers'?"),
        (("trainers", "My_Trainer"), "a plugin's name is small letters, digits and hyphens, got 'My_Trainer'"),
    ],
)
def test_a_wrong_word_is_one_line_and_nothing_is_written(
    project: TrialProject, arguments: tuple[str, str], reason: str
) -> None:
    folder = project.folder / "new"

    refused = project.mlm("plugins", "new", *arguments, folder)

    assert (refused.code, reason in refused.error) == (1, True)
    assert not folder.exists()


@pytest.mark.parametrize(("kind", "name", "warned"), [("trainers", "sft", True), ("trainers", "sft-two", False)])
def test_a_name_that_a_bundled_plugin_has_is_warned_of(
    project: TrialProject, kind: str, name: str, warned: bool
) -> None:
    answer = project.mlm("plugins", "new", kind, name, project.folder / "new")

    warning = f"mlm has trainer '{name}' too: beside it, a project chooses yours by `use = \"mlm-{name}/{name}\"`"
    assert (answer.code, answer.err) == (0, f"Warning: {warning}\n" if warned else "")


def test_a_folder_that_has_something_in_it_is_left_alone(project: TrialProject) -> None:
    folder = project.folder / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")

    refused = project.mlm("plugins", "new", "guards", "words", folder)

    assert (refused.code, "is not empty; choose a new folder" in refused.error) == (1, True)
    assert [file.name for file in folder.iterdir()] == ["thesis.txt"]
