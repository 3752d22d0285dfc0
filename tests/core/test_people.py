"""A person is found whichever source read their rows, and wherever a record says whom it is about."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from trial import TrialProject

from mlm.plugins import Catalogue

ANN = "u-17"
SECRET = "Elm Street 5"
NAMELESS = {"text", "markdown", "git", "warc", "urls"}
"""Sources whose files and pages have no place for a person's id."""
BY_EXCHANGE = {"feedback"}
"""Sources whose rows are found by their exchanges: see test_erasing."""

Rows = list[dict[str, Any]]


def people() -> Rows:
    return [{"prompt": f"Where? {i}", "completion": SECRET if i % 3 else "", "user_id": name(i)} for i in range(9)]


def name(place: int) -> str:
    return ANN if place % 3 else "u-18"


def lines(folder: Path, rows: Rows) -> str:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return 'path = "rows.jsonl"'


def table(folder: Path, rows: Rows) -> str:
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return 'path = "rows.csv"'


def parquet(folder: Path, rows: Rows) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    return 'path = "rows.parquet"'


def saved(folder: Path, rows: Rows) -> str:
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset.from_list(rows).save_to_disk(folder / "saved")
    return 'name = "saved"'


def mixed(folder: Path, rows: Rows) -> str:
    return f'inputs = ["first"]\n[data.first]\nuse = "jsonl"\n{lines(folder, rows)}'


SOURCES: dict[str, Callable[[Path, Rows], str]] = {
    "jsonl": lines, "csv": table, "parquet": parquet, "instructions": lines, "datasets": saved, "mix": mixed,
}  # fmt: skip


def held(project: TrialProject) -> list[str]:
    """Name the living datasets that hold the person's id or words."""
    import pyarrow.parquet as pq

    with project.registry() as registry:
        here = [node for node in registry.nodes(kind="dataset") if registry.objects.has(node.digest)]
        files = [(node.ref, file) for node in here for file in registry.objects.path(node.digest).rglob("*.parquet")]
        told = {ref: str(pq.read_table(file).to_pylist()) for ref, file in files}
        return [ref for ref, text in told.items() if ANN in text or SECRET in text]


def erased(project: TrialProject) -> Any:
    """Erase the person, and return the number of rows."""
    answer = project.mlm("erase", "--subject", ANN, "--reason", "asked to", "--yes", "--json")
    assert answer.code == 0, answer.err
    return answer.json[0]["certificate"]["rows"]


def test_every_bundled_source_is_tried_or_has_no_place_for_a_person() -> None:
    bundled = {ref.name for ref in Catalogue.discover().of_kind("sources") if ref.distribution == "mlm"}

    assert bundled == set(SOURCES) | NAMELESS | BY_EXCHANGE


@pytest.mark.parametrize(
    "use", [pytest.param(use, marks=pytest.mark.heavy) if use == "datasets" else use for use in SOURCES]
)
def test_a_person_is_erased_whatever_source_read_the_rows_and_stays_away(project: TrialProject, use: str) -> None:
    project.write(f'[data.rows]\nuse = "{use}"\n{SOURCES[use](project.folder, people())}\n')
    project.run()
    assert "rows@1" in held(project)

    assert erased(project) == (12 if use == "mix" else 6)

    assert held(project) == []
    SOURCES[use](project.folder, [*people(), {"prompt": "Who?", "completion": "Bob", "user_id": "u-18"}])
    project.run()
    assert project.mlm("show", "rows", "--json").json["rows"] == {"train": 4}
    assert held(project) == []


def said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


ASKED, TOLD = said("user", "Where?"), said("assistant", SECRET)
CALL = {"id": "c", "type": "function", "function": {"name": "map", "arguments": "{}"}}
FORMS: dict[str, dict[str, Any]] = {
    "alpaca": {"instruction": "Where?", "output": SECRET},
    "self-instruct": {"instruction": "Where?", "instances": [{"input": "", "output": SECRET}]},
    "sharegpt": {"conversations": [{"from": "human", "value": "Where?"}, {"from": "gpt", "value": SECRET}]},
    "messages": {"messages": [ASKED, TOLD]},
    "tools": {"messages": [ASKED, {**TOLD, "tool_calls": [CALL]}], "tools": [{"type": "function"}]},
    "preference": {"prompt": "Where?", "chosen": SECRET, "rejected": "No."},
    "hh-rlhf": {
        "chosen": f"\n\nHuman: Where?\n\nAssistant: {SECRET}", "rejected": "\n\nHuman: Where?\n\nAssistant: No.",
    },
    "kto": {"prompt": "Where?", "completion": SECRET, "label": True},
}  # fmt: skip


PERSONS: dict[str, dict[str, Any]] = {
    "user": {"user": ANN},
    "user_id": {"subject": "geography", "user_id": ANN},
    "metadata": {"metadata": {"user_id": ANN}},
    "record": {"user": {"id": ANN}},
}


@pytest.mark.parametrize(
    ("form", "person"),
    [*((form, "user") for form in FORMS), *(("messages", person) for person in PERSONS if person != "user")],
)
def test_a_person_is_found_in_every_form_of_instructions(project: TrialProject, form: str, person: str) -> None:
    row = FORMS[form] | PERSONS[person]
    other = json.loads(json.dumps(row).replace(ANN, "u-18").replace(SECRET, "Oak Street"))
    lines(project.folder, [row, row, other])
    project.write('[data.rows]\nuse = "instructions"\npath = "rows.jsonl"\nsteps = ["exact"]\n')
    project.run()
    assert held(project) == ["rows@1"] * len(held(project)) != []

    assert erased(project) == 2

    assert held(project) == []
    assert project.mlm("show", "rows", "--json").json["rows"] == {"train": 1}


def test_a_column_says_whom_instructions_are_about_and_ids_stay_those_of_the_records(project: TrialProject) -> None:
    lines(project.folder, [{**FORMS["alpaca"], "user": 17, "n": 1}, {**FORMS["alpaca"], "n": 2}])
    project.write('[data.rows]\nuse = "instructions"\npath = "rows.jsonl"\n')
    project.run()

    first, second = project.mlm("data", "show", "rows", "--json").json["first"]

    assert (first["user"], first["extra"], second["user"], second["extra"]) == ("17", '{"n": 1}', None, '{"n": 2}')
    assert first["row_id"] == "553b3ea3f1937361"


@pytest.mark.parametrize(
    "row",
    [
        {"text": SECRET, "extra": json.dumps({"user": ANN})},
        {"text": SECRET, "metadata": {"user_id": ANN}},
        {"text": SECRET, "metadata": json.dumps({"extra": {"user": {"id": ANN}}})},
        {"messages": [ASKED, {**TOLD, "user_id": ANN}]},
        {"messages": [ASKED, {**TOLD, "extra": json.dumps({"user": ANN})}]},
    ],
    ids=["extra", "metadata", "nested", "message", "message-extra"],
)
def test_a_person_is_found_beside_the_columns_among_kept_and_removed_rows(
    project: TrialProject, row: dict[str, Any]
) -> None:
    other = json.loads(json.dumps(row).replace(ANN, "u-18").replace(SECRET, "Oak Street"))
    lines(project.folder, [other, row, row])
    project.write('[data.rows]\nuse = "jsonl"\npath = "rows.jsonl"\nsteps = ["exact"]\n')
    project.run()

    assert erased(project) == 2

    assert held(project) == []
    assert project.mlm("show", "rows", "--json").json["rows"] == {"train": 1}


def test_a_person_whose_number_became_a_fraction_is_found(project: TrialProject) -> None:
    parquet(project.folder, [{"text": "a", "user_id": 17.0}, {"text": "b", "user_id": None}])
    project.write('[data.rows]\nuse = "parquet"\npath = "rows.parquet"\n')
    project.run()

    assert "1 row and" in project.mlm("erase", "--subject", "17").out


def test_a_renamed_person_is_found_and_a_person_s_column_that_becomes_text_is_text_alone(project: TrialProject) -> None:
    lines(project.folder, [{"body": SECRET, "user": ANN, "subject": "A street"}, {"body": "b", "user": "u-18"}])
    steps = '[{ use = "rename", columns = { user = "author", subject = "prompt", body = "completion" } }]'
    project.write(f'[data.rows]\nuse = "jsonl"\npath = "rows.jsonl"\nsteps = {steps}\n')
    project.run()
    columns = [column["name"] for column in project.mlm("data", "show", "rows", "--json").json["columns"]]
    assert sorted(columns) == ["author", "completion", "prompt", "row_id", "source", "user"]

    assert erased(project) == 1

    assert held(project) == []
