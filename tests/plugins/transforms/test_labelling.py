"""Labels come from a model where it is sure, and from people where it is not."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from trial import TrialProject

import mlm
from mlm_plugins.trainers.text_classifier import TextClassifier
from mlm_plugins.transforms.label_by_model import LabelByModel
from mlm_plugins.transforms.label_by_people import LabelByPeople

ROWS = {"text": ["hello there", "goodbye now", "xyzzy"]}
LABELS = ["greeting", "farewell"]


@pytest.fixture
def model(store: Any, tmp_path: Path) -> mlm.Model:
    (tmp_path / "model").mkdir()
    problem = mlm.Problem(name="t", task="chat", purpose="p")
    context = mlm.Context(folder=tmp_path / "model", work=tmp_path, project=tmp_path, problem=problem)
    rows = {"text": ["hello there", "hello you", "goodbye now", "goodbye all"] * 9}
    return TextClassifier(bits=12).mlm_train(store(rows | {"label": [*LABELS[:1] * 2, *LABELS[1:] * 2] * 9}), context)


def labels(made: mlm.Dataset) -> list[str]:
    return [row["label"] for row in made.rows()]


def test_a_model_labels_what_it_is_sure_of(apply: Any, model: mlm.Model) -> None:
    made = apply(LabelByModel(model=model, min_confidence=0.9, confidence_column="chance"), ROWS)

    assert labels(made) == ["greeting", "farewell", ""]
    assert [row["chance"] >= 0.9 for row in made.rows()] == [True, True, False]


def test_a_model_leaves_the_labels_that_are_there(apply: Any, model: mlm.Model) -> None:
    step = LabelByModel(model=model, columns=["text"], confidence_column="chance")
    made = list(apply(step, ROWS | {"label": ["farewell", "", None]}).rows())

    assert (made[0]["label"], made[0]["chance"]) == ("farewell", None)
    assert made[1]["label"] == "farewell"
    assert made[2]["label"] in LABELS


def waits(apply: Any, step: LabelByPeople, rows: dict[str, Any]) -> tuple[str, Path]:
    with pytest.raises(mlm.Waiting) as waiting:
        apply(step, rows)
    found = re.search(r"fill in (\S+), then", str(waiting.value))
    assert found
    return str(waiting.value), Path(found[1])


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_people_fill_in_a_file_that_the_step_waits_for(apply: Any, tmp_path: Path, form: str) -> None:
    message, todo = waits(apply, LabelByPeople(labels=LABELS, format=form), ROWS)
    assert message.startswith("3 rows wait for people to label them (greeting, farewell): fill in ")

    filled = tmp_path / f"labels.{form}"
    if form == "csv":
        rows = list(csv.DictReader(todo.read_text(encoding="utf-8").splitlines()))
        with filled.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows({**row, "label": LABELS[n % 2]} for n, row in enumerate(rows))
    else:
        rows = [json.loads(line) for line in todo.read_text(encoding="utf-8").splitlines()]
        filled.write_text("".join(json.dumps({**row, "label": LABELS[n % 2]}) + "\n" for n, row in enumerate(rows)))

    assert [row["text"] for row in rows] == ROWS["text"]
    assert labels(apply(LabelByPeople(labels=LABELS, file=filled), ROWS)) == ["greeting", "farewell", "greeting"]


def lines_of(todo: Path) -> list[dict[str, str]]:
    text = todo.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(text)) if todo.suffix == ".csv" else [json.loads(line) for line in text]


def fill_in(todo: Path, given: dict[str, str]) -> None:
    """Put labels into the file that waits for them, as its reader would."""
    rows = [{**row, "label": given.get(row["row_id"], row["label"])} for row in lines_of(todo)]
    with todo.open("w", encoding="utf-8", newline="") as file:
        if todo.suffix == ".csv":
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_file_to_fill_in_lies_beside_the_labels_and_goes_when_all_are_given(
    project: TrialProject, form: str
) -> None:
    step = f'{{ use = "label-by-people", labels = ["greeting", "farewell"], format = "{form}", file = "given.{form}" }}'
    project.write(f'[data.chats]\nuse = "jsonl"\npath = "chats.jsonl"\nsteps = [{step}]\n')
    project.jsonl("chats.jsonl", [{"text": text} for text in ROWS["text"]])
    given, todo = project.folder / f"given.{form}", project.folder / f"given.to_label.{form}"

    missing = project.mlm("run").error
    given.write_text("", encoding="utf-8")
    waiting = project.mlm("run").out
    fill_in(todo, {lines_of(todo)[0]["row_id"]: "greeting", lines_of(todo)[1]["row_id"]: "farewell"})
    project.jsonl("chats.jsonl", [{"text": text} for text in ROWS["text"][1:]])
    given.write_text("\n", encoding="utf-8")
    project.mlm("run")
    kept = [(row["text"], row["label"]) for row in lines_of(todo)]
    fill_in(todo, {lines_of(todo)[1]["row_id"]: "farewell"})
    given.write_bytes(todo.read_bytes())
    project.run()

    assert f"there is no file {given}: make an empty one" in missing
    assert f"fill in {todo}, then add the lines to {given}" in waiting
    assert kept == [("goodbye now", "farewell"), ("xyzzy", ""), ("hello there", "greeting")]
    assert not todo.exists()
    assert [row["label"] for row in project.mlm("data", "sample", "chats", "--json").json] == ["farewell"] * 2


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_was_filled_in_where_it_lies_is_kept_when_the_step_runs_again(project: TrialProject, form: str) -> None:
    step = f'{{ use = "label-by-people", labels = ["greeting", "farewell"], format = "{form}" }}'
    project.write(f'[data.chats]\nuse = "jsonl"\npath = "chats.jsonl"\nsteps = [{step}]\n')
    project.jsonl("chats.jsonl", [{"text": text} for text in ROWS["text"]])

    def waiting() -> tuple[Path, dict[str, str]]:
        answer = project.mlm("run")
        assert answer.code == 0
        found = re.search(r"fill in (\S+), then", answer.out + answer.err)
        assert found, (answer.out, answer.err)
        return Path(found[1]), {row["text"]: row["label"] for row in lines_of(Path(found[1]))}

    todo, asked = waiting()
    assert asked == dict.fromkeys(ROWS["text"], "")
    fill_in(todo, {lines_of(todo)[1]["row_id"]: "farewell"})
    _, again = waiting()
    assert again == {"hello there": "", "goodbye now": "farewell", "xyzzy": ""}

    fill_in(todo, {row["row_id"]: row["label"] or "greeting" for row in lines_of(todo)})
    (project.folder / f"labels.{form}").write_bytes(todo.read_bytes())
    project.change('format = "', f'file = "labels.{form}", format = "')
    project.run()
    rows = project.mlm("data", "sample", "chats", "-n", "9", "--json").json
    assert {row["text"]: row["label"] for row in rows} == {
        "hello there": "greeting", "goodbye now": "farewell", "xyzzy": "greeting",
    }  # fmt: skip


def test_only_rows_without_a_label_are_asked_for(apply: Any, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('{"row_id": "r1", "label": "farewell"}\n{"row_id": "r2", "label": ""}\n')

    message, todo = waits(apply, LabelByPeople(labels=LABELS, file=file), ROWS | {"label": ["greeting", "", None]})

    assert message.startswith("1 rows wait")
    assert [json.loads(line)["row_id"] for line in todo.read_text().splitlines()] == ["r2"]
    assert f"add the lines to {file}" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"row_id": "r1", "label": "greetin"}', r"labels.jsonl:1 has label 'greetin', expected one of greeting, far"),
        ('{"label": "greeting"}', "labels.jsonl:1 has no row_id"),
        ("5", "labels.jsonl:1 has no row_id"),
        ("row_id,label", "cannot be read as JSON lines in UTF-8"),
    ],
)
def test_a_file_that_is_filled_in_wrongly_is_named(apply: Any, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "labels.jsonl").write_text(content)

    with pytest.raises(mlm.DataError, match=message):
        apply(LabelByPeople(labels=LABELS, file=tmp_path / "labels.jsonl"), ROWS)
