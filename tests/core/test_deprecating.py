"""What is deprecated works, and whoever uses it is told what replaces it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from making import distribution
from trial import TrialProject

PLUGINS = """
from attrs import define
import mlm

@define(kw_only=True)
class Trainer:
    '''Learns nothing.'''

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, model: mlm.Model | None, context: mlm.Context) -> mlm.Model:
        (context.folder / "memory.json").write_text("{}")
        return mlm.Model(context.folder, "memory")

@define(kw_only=True)
class Modern:
    '''Learns nothing either.'''

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        (context.folder / "memory.json").write_text("{}")
        return mlm.Model(context.folder, "memory")

@define(kw_only=True)
class Whole:
    '''Passes on what it gets.'''

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa
        with context.writer() as writer:
            for batch in data.batches():
                writer.write(mlm.Batch(pa.Table.from_batches([batch])))
        return writer.dataset
"""
# Python imports this module at the start of each process: an mlm in which a hook and an argument are deprecated.
SPECIFICATIONS = """
from mlm import hookspecs
from mlm.deprecating import Deprecated

hookspecs.mlm_train.mlm_spec["warn_on_impl_args"] = {"model": Deprecated("take `data`", gone_in="0.3")}
hookspecs.mlm_transform.mlm_spec["warn_on_impl"] = Deprecated("implement `mlm_map`", gone_in="0.3")
"""
ARGUMENT = (
    "acme-old:trainers/old 1.0 takes `model` in `mlm_train`: deprecated, and gone with mlm 0.3; take `data` instead"
)
HOOK = (
    "acme-old:transforms/whole 1.0 implements `mlm_transform`: deprecated, and gone with mlm 0.3; implement `mlm_map`"
    " instead"
)
PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
steps = ["whole"]

[training.chat]
use = "old"
data = "lessons"
"""


@pytest.fixture
def later(project: TrialProject, tmp_path: Path) -> TrialProject:
    """A project with old plugins, under an mlm that has deprecated what they use."""
    points = {"trainers/old": "Trainer", "trainers/modern": "Modern", "transforms/whole": "Whole"}
    site = distribution(tmp_path / "site", "acme-old", points, PLUGINS)
    (site / "sitecustomize.py").write_text(SPECIFICATIONS)
    project.jsonl("lessons.jsonl", [{"prompt": "1?", "completion": "1"}])
    project.write(PROJECT)
    return project


def mlm(project: TrialProject, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(project.folder.parent / "site")}
    command = [sys.executable, "-m", "mlm", "-C", str(project.folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_what_is_deprecated_works_and_one_line_each_names_plugin_and_replacement(later: TrialProject) -> None:
    ran = mlm(later, "run", "--json")

    assert ran.returncode == 0, ran.stderr
    assert {step["status"] for step in json.loads(ran.stdout)["steps"]} == {"ran"}
    assert sorted(ran.stderr.splitlines()) == [f"Warning: {ARGUMENT}", f"Warning: {HOOK}"]


def test_a_step_in_a_process_of_its_own_does_not_say_it_again(later: TrialProject) -> None:
    later.change('use = "old"', 'use = "old"\nisolate = true')

    assert sorted(mlm(later, "run").stderr.splitlines()) == [f"Warning: {ARGUMENT}", f"Warning: {HOOK}"]


def test_who_does_not_use_it_hears_nothing(later: TrialProject) -> None:
    later.change('"old"', '"modern"')
    later.change('\nsteps = ["whole"]', "")

    assert mlm(later, "plan").stderr == ""


def test_the_doctor_names_it_and_it_is_no_fault(later: TrialProject) -> None:
    names = ("trainers/old", "trainers/modern", "transforms/whole")

    examined = mlm(later, "plugins", "doctor", *names, "--json")

    assert examined.returncode == 0
    assert [one["notes"] for one in json.loads(examined.stdout)] == [[ARGUMENT], [], [HOOK]]
    assert "take `data` instead" in mlm(later, "plugins", "doctor", "trainers/old").stdout


def test_the_tests_of_a_plugin_hear_it_with_file_and_line(later: TrialProject, tmp_path: Path) -> None:
    (tmp_path / "test_old.py").write_text(
        "from acme_old import Trainer\nfrom mlm.testing import TrainerConformance\n\n"
        "class TestOld(TrainerConformance):\n    plugin = Trainer\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "keeps_the_hook", "test_old.py"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)

    assert "1 passed" in told.stdout
    assert "acme_old.py:9: Deprecated: deprecated, and gone with mlm 0.3; take `data` instead" in told.stdout
