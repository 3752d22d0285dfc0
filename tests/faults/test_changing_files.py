"""Files that change while a step reads them: what is stored was made of what its key says, or the step fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from making import distribution
from trial import TrialProject

CODE = """
from pathlib import Path
from attrs import define
import mlm
from mlm.paths import files_at
from mlm_plugins.sources.jsonl import Jsonl
import pyarrow as pa

ROW = '{"prompt": "new?", "completion": "new"}\\n'

def written_on(file: Path) -> None:
    with file.open("a") as opened:
        opened.write(ROW)

@define(kw_only=True)
class Grows(Jsonl):
    '''JSON lines that somebody writes on, while they are read, where the project says so.'''

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        data = super().mlm_read(context)
        if (context.project / "writing").exists():
            written_on(files_at(self.path)[0][1])
        return data

@define(kw_only=True)
class Later:
    '''A transform during which somebody writes into the source that was read already.'''

    word: str = mlm.setting("", help="where the step ends")

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        written_on(context.project / "in" / "lessons.jsonl")
        with context.writer() as writer:
            for record in data.batches():
                writer.write(mlm.Batch(pa.Table.from_batches([record])))
        return writer.dataset

@define(kw_only=True)
class Facts:
    '''An evaluation that reads a file of its own.'''

    metrics = (mlm.MetricSpec("share", "share", "higher", "nothing"),)
    facts: Path = mlm.setting(help="a file")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        written_on(self.facts)
        return mlm.Report((mlm.Measure("share", 0.5, 1, unit="share"),))
"""
POINTS = {"sources/grows": "Grows", "transforms/later": "Later", "evaluators/facts": "Facts"}
GROWING = '[data.lessons]\nuse = "grows"\npath = "in/lessons.jsonl"\n'


@pytest.fixture
def growing(project: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialProject]:
    """A project whose source grows while it is read for as long as there is a file named `writing`."""
    monkeypatch.syspath_prepend(str(distribution(tmp_path / "site", "acme-grows", POINTS, CODE)))
    (project.folder / "in").mkdir()
    project.jsonl("in/lessons.jsonl", [{"prompt": f"{i}?", "completion": f"{i}"} for i in range(5)])
    (project.folder / "writing").touch()
    project.write(GROWING)
    yield project
    sys.modules.pop("acme_grows", None)


def errors(project: TrialProject) -> dict[str, str]:
    return {step["name"]: step["error"] for step in project.mlm("run", "--json").json["steps"] if step["error"]}


@pytest.mark.parametrize("isolate", ["", "isolate = true\n"])
@pytest.mark.parametrize("path", ["in/lessons.jsonl", "in", "in/*.jsonl"])
def test_a_source_that_changes_while_it_is_read_fails_its_step(growing: TrialProject, path: str, isolate: str) -> None:
    growing.write(GROWING.replace("in/lessons.jsonl", path) + isolate)

    (error,) = errors(growing).values()

    told = f"{growing.folder / path} changed while it was read: run again when nothing writes there  [lessons]"
    assert (error, growing.refs(), growing.left_over()) == (told, set(), [])


def test_a_file_that_is_as_it_was_again_is_read_again(growing: TrialProject) -> None:
    file = growing.folder / "in" / "lessons.jsonl"
    before = file.read_text()
    assert errors(growing)

    (growing.folder / "writing").unlink()
    assert growing.run() == {"lessons": "ran"}
    assert growing.mlm("show", "lessons", "--json").json["node"]["metadata"]["rows"] == {"train": 6}

    file.write_text(before)
    assert growing.run() == {"lessons": "ran"}
    assert growing.mlm("show", "lessons", "--json").json["node"]["metadata"]["rows"] == {"train": 5}


def test_what_changes_after_it_was_read_is_for_the_next_run(growing: TrialProject) -> None:
    (growing.folder / "writing").unlink()
    growing.write(GROWING + 'steps = ["later"]')

    assert growing.run() == {"lessons": "ran"}
    assert growing.run() == {"lessons": "ran"}
    assert growing.refs() == {"lessons@1", "lessons@2"}


def test_a_file_of_an_evaluation_that_changes_fails_it_too(growing: TrialProject) -> None:
    (growing.folder / "writing").unlink()
    (growing.folder / "facts.txt").write_text("one\n")
    growing.write(
        GROWING + '[training.chat]\nuse = "memory"\ndata = "lessons"\n'
        '[evaluation.known]\nuse = "facts"\nfacts = "facts.txt"\nmodel = "chat"\ndata = "lessons"\n'
    )

    told = f"{growing.folder / 'facts.txt'} changed while it was read: run again when nothing writes there  [known]"
    assert errors(growing) == {"known": told}
