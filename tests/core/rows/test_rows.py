"""Rows can be followed: what a dataset holds, how two versions differ, where a row went and why."""

from __future__ import annotations

from typing import Any

import pytest
from trial import TrialProject

PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
steps = ["schema", "shout", { use = "drop", word = "BAD" }]

[data.mixed]
use = "mix"
inputs = ["lessons"]

[training.chat]
use = "memory"
data = "mixed"
"""
ROWS: list[dict[str, Any]] = [
    {"prompt": "one", "completion": "1"},
    {"prompt": "two", "completion": ""},
    {"prompt": "bad", "completion": "3"},
    {"prompt": "four", "completion": "4"},
]


@pytest.fixture
def followed(project: TrialProject) -> TrialProject:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT)
    project.run()
    return project


def ids(project: TrialProject, *options: str) -> dict[str, str]:
    """Return ids of rows by the first word of their text."""
    rows = project.mlm("data", "sample", "lessons", "--json", "-n", "99", *options).json
    return {(row.get("prompt") or row["text"]).split()[0].lower(): row["row_id"] for row in rows}


def test_show_tells_columns_chain_and_first_rows(followed: TrialProject) -> None:
    found = followed.mlm("data", "show", "lessons", "--json", "--rows", "1").json

    assert found["ref"] == "lessons@1"
    assert found["rows"] == {"train": 2}
    assert [(c["name"], c["type"], c["nulls"]) for c in found["columns"]] == [
        ("row_id", "string", 0), ("source", "string", 0), ("prompt", "string", 0), ("completion", "string", 0),
    ]  # fmt: skip
    assert [(link["step"], link["rows_in"], link["rows_out"]) for link in found["chain"]] == [
        ("jsonl", 4, 4), ("schema", 4, 3), ("shout", 3, 3), ("drop", 3, 2),
    ]  # fmt: skip
    assert found["removed"] == {"schema": 1, "dropped": 1}
    assert found["changed"] == {"shouted": 3}
    assert [row["prompt"] for row in found["first"]] == ["ONE"]


def test_the_lengths_of_texts_are_counted_after_each_pass(followed: TrialProject) -> None:
    chain = followed.mlm("data", "show", "lessons", "--json").json["chain"]

    # Characters of prompt and completion together: 4, 3, 4, 5.
    assert chain[0]["lengths"] == {"2": 1, "4": 3}
    assert chain[-1]["lengths"] == {"4": 2}


def test_why_follows_a_row_that_stayed_to_what_learned_from_it(followed: TrialProject) -> None:
    row = ids(followed)["one"]

    first, mixed = followed.mlm("data", "why", row, "--json").json

    assert (first["dataset"], first["split"], first["source"]) == ("lessons@1", "train", "lessons.jsonl:1")
    assert first["file"].endswith("/lessons.jsonl:1")
    assert [(stop["step"], stop["happened"], stop["reason"]) for stop in first["stops"]] == [
        ("jsonl", "read", ""), ("schema", "kept", ""), ("shout", "changed", "shouted"), ("drop", "kept", ""),
    ]  # fmt: skip
    assert first["text"] == "ONE\n1"
    assert first["used_by"] == ["mixed@1"]
    assert mixed["dataset"] == "mixed@1"
    assert mixed["used_by"] == ["chat@1"]


def test_why_tells_who_dropped_a_row(followed: TrialProject) -> None:
    row = ids(followed, "--removed", "--reason", "dropped")["bad"]

    [way] = followed.mlm("data", "why", row, "--json").json

    assert way["split"] == ""
    assert [(stop["step"], stop["happened"], stop["reason"]) for stop in way["stops"]] == [
        ("jsonl", "read", ""), ("schema", "kept", ""), ("shout", "changed", "shouted"), ("drop", "removed", "dropped"),
    ]  # fmt: skip
    assert way["stops"][-1]["detail"] == "BAD"
    assert way["text"] == "BAD\n3"


def test_why_names_a_row_that_nobody_has_seen(followed: TrialProject) -> None:
    answer = followed.mlm("data", "why", "nobody")

    assert answer.code == 1
    assert "no row 'nobody' in any stored dataset" in answer.error


def test_a_model_is_no_dataset(followed: TrialProject) -> None:
    answer = followed.mlm("data", "show", "chat")

    assert answer.code == 1
    assert answer.error == "Error: chat@1 is a model, expected a dataset"


def test_diff_tells_rows_added_removed_and_changed_with_reasons(followed: TrialProject) -> None:
    followed.jsonl("lessons.jsonl", [*ROWS[:3], {"prompt": "five", "completion": "5"}])
    followed.change('word = "BAD"', 'word = "ONE"')
    followed.run("lessons")

    found = followed.mlm("data", "diff", "lessons@1", "lessons@2", "--json").json

    assert (found["rows"], found["added"], found["removed"], found["changed"], found["same"]) == ([2, 2], 2, 2, 0, 0)
    assert found["removed_because"] == {"drop: dropped": 1, "not in the source any more": 1}
    assert {(one["after"], one["source"]) for one in found["examples"]["added"]} == {
        ("BAD\n3", "lessons.jsonl:3"), ("FIVE\n5", "lessons.jsonl:4"),
    }  # fmt: skip
    assert {one["before"]: one["reason"] for one in found["examples"]["removed"]} == {
        "ONE\n1": "drop: dropped (ONE)", "FOUR\n4": "not in the source any more",
    }  # fmt: skip


def test_a_row_that_the_chain_treats_otherwise_is_a_changed_one(followed: TrialProject) -> None:
    followed.change('"shout", ', "")
    followed.run("lessons")

    found = followed.mlm("data", "diff", "lessons@1", "lessons@2", "--json").json

    assert (found["added"], found["removed"], found["changed"]) == (1, 0, 2)
    assert {(one["before"], one["after"]) for one in found["examples"]["changed"]} == {
        ("ONE\n1", "one\n1"), ("FOUR\n4", "four\n4"),
    }  # fmt: skip


def test_a_sample_is_drawn_by_reason_and_by_seed(followed: TrialProject) -> None:
    dropped = followed.mlm("data", "sample", "lessons", "--removed", "--reason", "dropped", "--json").json
    changed = followed.mlm("data", "sample", "lessons", "--changed", "--step", "shout", "--json").json
    once, again = (followed.mlm("data", "sample", "lessons", "-n", "1", "--seed", "3").out for _ in range(2))

    assert [(row["text"], row["step"]) for row in dropped] == [("BAD\n3", "drop")]
    assert {(row.get("prompt"), row["reason"]) for row in changed} == {
        ("ONE", "shouted"), ("FOUR", "shouted"), (None, "shouted"),
    }  # fmt: skip
    assert once == again


def test_reasons_are_of_rows_that_went_or_were_changed(followed: TrialProject) -> None:
    assert followed.mlm("data", "sample", "lessons", "--reason", "dropped").code == 2


def test_the_verbs_print_for_people(followed: TrialProject) -> None:
    row = ids(followed, "--removed", "--reason", "dropped")["bad"]

    shown = followed.mlm("data", "show", "lessons").out
    way = followed.mlm("data", "why", row).out

    assert "schema 1" in shown
    assert "in lessons@1, removed" in way
    assert "drop            removed  dropped: BAD" in way
