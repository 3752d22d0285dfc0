"""Data that is missing or malformed: the message names file and line, and nothing of the step is kept."""

from __future__ import annotations

from typing import Any

import pytest
from trial import TrialProject


def failure(project: TrialProject, step: str) -> str:
    """Run, and return the error of a step of which nothing may be left."""
    answer = project.mlm("run", "--json")
    assert answer.code == 1, answer.out
    found: dict[str, Any] = {one["name"]: one for one in answer.json["steps"]}
    assert found[step]["status"] == "failed"
    assert not [ref for ref in project.refs() if ref.startswith(f"{step}@")]
    assert project.left_over() == []
    return str(found[step]["error"])


def test_a_missing_file_is_named_before_anything_runs(sound: TrialProject) -> None:
    (sound.folder / "lessons.jsonl").unlink()

    answer = sound.mlm("run")

    assert (answer.code, answer.out, sound.refs()) == (1, "", set())
    assert str(sound.folder / "lessons.jsonl") in answer.error


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"prompt": "x", "completion"}', "Expecting ':' delimiter at column 29"),
        (b'{"prompt": "x"', "Expecting ',' delimiter at column 15"),
        (b"prompt,completion", "Expecting value at column 1"),
        (b'{"prompt": NaN}', "NaN is not JSON"),
    ],
)
def test_a_malformed_line_is_named_by_file_and_number(sound: TrialProject, line: bytes, why: str) -> None:
    file = sound.folder / "lessons.jsonl"
    file.write_bytes(b'{"prompt": "a", "completion": "b"}\n' * 2 + line + b"\n")

    assert failure(sound, "lessons") == f"{file}, line 3: {why}"


def test_bytes_that_are_no_text_are_named_by_file_and_number(sound: TrialProject) -> None:
    file = sound.folder / "lessons.jsonl"
    file.write_bytes(b'{"prompt": "a", "completion": "b"}\n{"prompt": "\xff"}\n')

    assert failure(sound, "lessons").startswith(f"{file}, line 2: ")


def test_an_unknown_split_names_those_that_there_are(sound: TrialProject) -> None:
    sound.change('use = "memory"\ndata = "lessons"', 'use = "memory"\ndata = "lessons/trian"')

    assert failure(sound, "chat") == "lessons@1 has no split 'trian' (splits: train); did you mean 'train'?"


def test_a_split_of_a_model_is_no_split(sound: TrialProject) -> None:
    sound.change('model = "chat"\ndata = "lessons"', 'model = "chat/train"\ndata = "lessons"')

    assert sound.mlm("run").error == (
        "Error: 'chat/train': only a dataset has splits, 'chat' makes a model  [mlm.toml, evaluation.quality.model]"
    )


def test_an_evaluation_without_rows_to_ask_says_so(sound: TrialProject) -> None:
    sound.jsonl("texts.jsonl", [{"text": "no question"}])
    sound.change('model = "chat"\ndata = "lessons"', 'model = "chat"\ndata = "texts"')
    sound.change("[training.chat]", '[data.texts]\nuse = "jsonl"\npath = "texts.jsonl"\n[training.chat]')

    assert "lacks messages, or prompt and completion" in failure(sound, "quality")


def test_a_project_is_written_whole_or_not_at_all(project: TrialProject) -> None:
    answer = project.mlm("init", "half-done", project.folder / "new")

    assert (answer.code, answer.error) == (1, "Error: the template has no end")
    assert list(project.folder.iterdir()) == []


def test_a_starter_does_not_write_into_a_folder_that_is_in_use(project: TrialProject) -> None:
    (project.folder / "mine.txt").write_text("mine", encoding="utf-8")

    answer = project.mlm("init", "sketch", project.folder)

    assert (answer.code, answer.error) == (
        1, f"Error: {project.folder} is there and is not empty: choose another folder",
    )  # fmt: skip
    assert [file.name for file in project.folder.iterdir()] == ["mine.txt"]


def test_an_unknown_starter_names_the_near_miss(project: TrialProject) -> None:
    assert project.mlm("init", "altas", project.folder / "new").error == (
        "Error: no starter is named 'altas' (installed: atlas, half-done, sketch); did you mean 'atlas'?"
    )


def test_an_unknown_deployment_names_the_near_miss(sound: TrialProject) -> None:
    assert sound.mlm("deploy", "apy").error == (
        "Error: no deployment is named 'apy' (deployments: api); did you mean 'api'?"
    )


def test_a_variable_that_is_not_set_is_named(sound: TrialProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIAL_KEY", raising=False)
    sound.change('"memory"', '"keyed"\nkey = { env = "TRIAL_KEY" }')

    assert failure(sound, "chat") == "the environment variable TRIAL_KEY is not set  [chat]"
