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
KNOWN = [(f"{word} {whom}", label) for word, label in zip(("hello", "goodbye"), LABELS, strict=True) for whom in "ab"]

TAUGHT = [("hello", "greeting"), ("goodbye", "farewell")]
LABELLED_BY_ALL = """
[data.known]
use = "jsonl"
path = "known.jsonl"

[training.sorter]
use = "text-classifier"
data = "known"
columns = ["text"]

[data.guessed]
use = "jsonl"
path = "chats.jsonl"

[[data.guessed.steps]]
use = "label"
rules = { greeting = "greetings.txt" }
by_column = "by"

[[data.guessed.steps]]
use = "label-by-model"
model = "sorter"
min_confidence = 0.8
by_column = "by"

[data.chats]
use = "mix"
inputs = ["guessed"]

[[data.chats.steps]]
use = "label-by-people"
labels = ["greeting", "farewell"]
file = "labels.jsonl"
by_column = "by"
"""


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


def test_who_labelled_a_row_is_in_a_column_and_told_of_the_row(project: TrialProject) -> None:
    """The first row is labelled by a rule, the second by the model, the third by people."""
    project.jsonl("known.jsonl", [{"text": f"{text} {n}", "label": label} for n in range(20) for text, label in TAUGHT])
    project.jsonl("chats.jsonl", [{"text": "howdy"}, {"text": "goodbye now"}, {"text": "xyzzy"}])
    (project.folder / "greetings.txt").write_text("howdy\n")
    project.jsonl("labels.jsonl", [])
    project.write(LABELLED_BY_ALL)
    project.run("guessed")
    ids = {row["text"]: row["row_id"] for row in project.mlm("data", "sample", "guessed", "-n", "9", "--json").json}
    project.jsonl("labels.jsonl", [{"row_id": ids["xyzzy"], "label": "greeting"}])

    project.run("chats")

    rows = project.mlm("data", "sample", "chats", "-n", "9", "--json").json
    assert {row["text"]: (row["label"], row["by"]) for row in rows} == {
        "howdy": ("greeting", "label"),
        "goodbye now": ("farewell", "label-by-model"),
        "xyzzy": ("greeting", "label-by-people"),
    }
    counts = {link["step"]: link["changed"] for link in project.mlm("show", "guessed", "--json").json["chain"]}
    assert (counts["label"], counts["label-by-model"]) == (1, 1)
    assert re.search(
        r"label-by-model .*labelled.*farewell, (1|0\.9)", project.mlm("data", "why", ids["goodbye now"]).out
    )
    assert re.search(r"label-by-people .*labelled.*greeting", project.mlm("data", "why", ids["xyzzy"]).out)


def classified(project: TrialProject, rows: list[dict[str, Any]], more: str = "") -> None:
    """Write a project whose rows a classifier labels."""
    project.jsonl("known.jsonl", [{"text": text, "label": label} for text, label in KNOWN * 9])
    project.jsonl("chats.jsonl", rows)
    project.write(f"""
        [data.known]
        use = "jsonl"
        path = "known.jsonl"

        [training.judge]
        use = "text-classifier"
        data = "known"
        bits = 12

        [data.chats]
        use = "jsonl"
        path = "chats.jsonl"
        steps = [{{ use = "label-by-model", model = "judge", confidence_column = "chance"{more} }}]
    """)


@pytest.mark.parametrize(
    ("values", "kind"), [([0, 1, None], "int64"), ([False, None, True], "bool"), ([0.0, None, 2.5], "double")]
)
def test_labels_that_are_no_text_are_refused_and_not_overwritten(
    project: TrialProject, values: list[Any], kind: str
) -> None:
    """Zero and false are labels as well, and no model may take them for none."""
    classified(project, [{"text": "hello there", "label": value} for value in values])

    answer = project.mlm("run")

    assert answer.code == 1
    assert f"column 'label' is of type {kind}, expected text; write into another column" in answer.out


@pytest.mark.parametrize("values", [["high", None], [True, None]])
def test_a_confidence_column_that_holds_no_numbers_is_refused(project: TrialProject, values: list[Any]) -> None:
    classified(project, [{"text": "hello there", "label": None, "chance": value} for value in values])

    answer = project.mlm("run")

    assert answer.code == 1
    assert "column 'chance' is of type " in answer.out
    assert "expected numbers; write into another column" in answer.out


def test_whole_numbers_may_be_confidences(project: TrialProject) -> None:
    rows = [{"text": "hello", "label": "farewell", "chance": 1}, {"text": "goodbye now", "label": "", "chance": None}]
    classified(project, rows)

    project.run()

    kept, made = project.mlm("data", "sample", "chats", "-n", "9", "--json").json
    assert (kept["label"], kept["chance"]) == ("farewell", 1.0)
    assert made["label"] == "farewell"
    assert 0.5 < made["chance"] <= 1


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

    assert f"there is no file {given}, expected: JSON lines or CSV with row_id and label, empty at first" in missing
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


@pytest.mark.parametrize("values", [[0, None], [False, None], [0.0, None]])
def test_people_are_not_asked_for_labels_that_are_no_text(apply: Any, values: list[Any]) -> None:
    with pytest.raises(mlm.DataError, match=r"column 'label' is of type \w+, expected text; write into another column"):
        apply(LabelByPeople(labels=LABELS), {"text": ["a", "b"], "label": values})


def test_only_rows_without_a_label_are_asked_for(apply: Any, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('{"row_id": "r1", "label": "farewell"}\n{"row_id": "r2", "label": ""}\n')

    message, todo = waits(apply, LabelByPeople(labels=LABELS, file=file), ROWS | {"label": ["greeting", "", None]})

    assert message.startswith("1 rows wait")
    assert [json.loads(line)["row_id"] for line in todo.read_text().splitlines()] == ["r2"]
    assert f"add the lines to {file}" in message


def test_labels_that_are_given_twice_alike_count_once_and_those_of_no_row_are_told(apply: Any, tmp_path: Path) -> None:
    given = {"r0": "greeting", "r00": "farewell", "r9": "farewell"}
    lines = [json.dumps({"row_id": row_id, "label": label}) for row_id, label in given.items()]
    (tmp_path / "labels.jsonl").write_text("\n".join([*lines, *lines]))

    message, _ = waits(apply, LabelByPeople(labels=LABELS, file=tmp_path / "labels.jsonl"), ROWS)

    assert message.startswith("2 rows wait")
    assert message.endswith("labels.jsonl; 2 of its row ids are no row's, such as r00")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"row_id": "r1", "label": "greetin"}', r"labels.jsonl:1 has label 'greetin', expected one of greeting, far"),
        ('{"label": "greeting"}', "labels.jsonl:1 has no row_id"),
        ("5", "labels.jsonl:1 has no row_id"),
        (
            '{"row_id": "r1", "label": "greeting"}\n{"row_id": "r1"}\n{"row_id": "r1", "label": "farewell"}',
            r"labels.jsonl:3 gives row r1 the label 'farewell', and line 1 gives it 'greeting'; keep one of them",
        ),
        ("row_id,label", "cannot be read as JSON lines in UTF-8"),
    ],
)
def test_a_file_that_is_filled_in_wrongly_is_named(apply: Any, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "labels.jsonl").write_text(content)

    with pytest.raises(mlm.DataError, match=message):
        apply(LabelByPeople(labels=LABELS, file=tmp_path / "labels.jsonl"), ROWS)
