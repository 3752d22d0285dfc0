"""Data steps: every row is accounted for, and added rows enter before the chain."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from trial import TrialProject

from mlm_registry import Amendment

PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
on_error = "set-aside"
steps = ["schema", "shout", { use = "drop", word = "BAD" }, "backwards", { use = "drop", word = "ODD" }]

[data.more]
use = "pairs"
rows = { "added" = "row", "added bad" = "row" }
"""
ROWS: list[dict[str, Any]] = [
    {"prompt": "one", "completion": "1"},
    {"prompt": "two", "completion": ""},
    {"prompt": "bad", "completion": "3"},
    {"prompt": "one", "completion": "4"},
    {"prompt": "odd", "completion": "5"},
    {"prompt": "six", "completion": 6},
]


def folder(project: TrialProject, ref: str) -> Path:
    with project.registry() as registry:
        return registry.objects.path(registry.node(ref).digest)


def rows(project: TrialProject, ref: str, name: str = "data/train-00000-of-00001") -> list[dict[str, Any]]:
    return list(pq.read_table(folder(project, ref) / f"{name}.parquet").to_pylist())


def test_rows_in_are_rows_out_and_rows_removed_with_a_reason(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT)
    project.run("lessons")

    kept, gone = rows(project, "lessons"), rows(project, "lessons", "removed")

    assert [row["prompt"] for row in kept] == ["ONE"]
    assert [(row["step"], row["reason"], row["source"]) for row in gone] == [
        ("jsonl", "schema", "lessons.jsonl:6"), ("schema", "schema", "lessons.jsonl:2"),
        ("drop", "dropped", "lessons.jsonl:3"), ("backwards", "again", "lessons.jsonl:1"),
        ("drop", "dropped", "lessons.jsonl:5"),
    ]  # fmt: skip
    assert len(kept) + len(gone) == len(ROWS)


def test_show_says_what_a_data_step_read(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT)
    project.run()

    assert re.search("\nfrom .*path = lessons.jsonl", project.mlm("show", "lessons").out)
    assert "\nfrom    rows = {'added': 'row', 'added bad': 'row'}\n" in project.mlm("show", "more").out


def test_a_review_of_which_nobody_was_asked_says_so(project: TrialProject) -> None:
    project.write(PROJECT)
    project.jsonl("lessons.jsonl", ROWS)

    told = project.mlm("review")

    assert told.code == 0
    assert told.error.startswith("Warning: nobody reviews the problem statement, only its requirements were looked at")
    assert '[governance] reviews = ["..."] (installed: ' in told.error
    assert "completeness" in told.error

    project.write(PROJECT + '[governance]\nreviews = ["completeness"]\n')

    told = project.mlm("review")
    assert (told.err, told.out.splitlines()[0].strip()) == ("", "Review of the problem statement")


def test_tables_of_nothing_are_not_shown(project: TrialProject) -> None:
    project.write(PROJECT)
    project.jsonl("lessons.jsonl", ROWS)

    assert project.mlm("status").out == "Model versions: none yet\n"
    assert project.mlm("review").out == "Review of the requirements: nothing found\n"
    assert "requirement" not in project.mlm("plan").out


def test_a_run_says_how_many_rows_a_data_step_read_and_kept(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT)

    told = project.mlm("run", "lessons").out.splitlines()[1]
    project.change('word = "ODD"', 'word = "ODDER"')
    [step] = project.mlm("run", "lessons", "--json").json["steps"]
    [cached] = project.mlm("run", "lessons", "--json").json["steps"]

    assert told.endswith(" lessons@1  6 -> 1 rows")
    assert (step["rows_in"], step["rows_out"]) == (6, 2)
    assert (cached["rows_in"], cached["rows_out"]) == (None, None)


def test_show_tells_the_chain_with_its_counts(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT)
    project.run("lessons")

    chain = project.mlm("show", "lessons", "--json").json["chain"]

    assert [(link["step"], link["rows_in"], link["rows_out"], link["changed"]) for link in chain] == [
        ("jsonl", 6, 5, 0), ("schema", 5, 4, 0), ("shout", 4, 4, 4), ("drop", 4, 3, 0), ("backwards", 3, 2, 0),
        ("drop", 2, 1, 0),
    ]  # fmt: skip
    for link in chain:
        assert link["rows_in"] == link["rows_out"] + sum(link["removed"].values())


def test_added_rows_go_through_the_whole_chain(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT)
    project.run()
    with project.registry() as registry:
        registry.improvements.amend(Amendment("add", "lessons", "more@1", by="tester"))

    assert project.ran() == {"lessons"}

    assert [row["prompt"] for row in rows(project, "lessons@2")] == ["ADDED", "ONE"]
    gone = rows(project, "lessons@2", "removed")
    assert len(gone) == 6
    assert [row["text"] for row in gone if row["step"] == "drop"] == ["BAD\n3", "ADDED BAD\nROW", "ODD\n5"]
    with project.registry() as registry:
        assert [(role, node.ref) for role, node, _ in registry.inputs(registry.node("lessons@2"))] == [
            ("added", "more@1")
        ]


def test_a_step_that_removes_every_row_says_where_they_went(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"prompt": "bad", "completion": "x"}])
    project.write(PROJECT)

    answer = project.mlm("run", "lessons", "--json")

    assert answer.code == 1
    told = "jsonl 1 -> 1, schema 1 -> 1, shout 1 -> 1, drop 1 -> 0"
    assert answer.json["steps"][0]["error"].startswith(f"no row is left: {told}")
    assert project.refs() == set()


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_file_without_rows_is_named(project: TrialProject, content: str) -> None:
    file = project.jsonl("lessons.jsonl", [])
    file.write_text(content, encoding="utf-8")
    project.write(PROJECT)

    answer = project.mlm("run", "lessons", "--json")

    assert answer.json["steps"][0]["error"] == f"no row was read: {file} holds none"


def test_a_dataset_opens_in_the_ecosystem_without_mlm(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT)
    project.run("lessons")

    table = pq.read_table(folder(project, "lessons") / "data")

    assert table.column_names == ["row_id", "source", "prompt", "completion"]


def test_two_transforms_with_a_port_of_one_name_get_each_what_feeds_it(project: TrialProject) -> None:
    project.write("""
[data.first]
use = "pairs"
rows = { "what is one and one" = "2" }

[data.second]
use = "pairs"
rows = { "what is two and two" = "4" }

[data.lessons]
use = "pairs"
rows = { "what is one and one" = "2", "what is two and two" = "4", "what is three and three" = "6" }
steps = [{ use = "decontaminate", against = ["first"] }, { use = "decontaminate", against = ["second"] }]
""")
    project.run()

    chain = project.mlm("show", "lessons", "--json").json["chain"]

    assert [link["removed"] for link in chain] == [{}, {"contamination": 1}, {"contamination": 1}]
