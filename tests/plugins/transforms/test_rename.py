"""Columns get the names that others know."""

from __future__ import annotations

from trial import TrialProject

PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
steps = [{ use = "rename", columns = { content = "text" } }, "exact"]
"""


def test_a_renamed_column_is_text_for_what_follows(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"content": "a river"}, {"content": "A  river"}, {"content": "a sea"}])
    project.write(PROJECT)
    project.run()

    shown = project.mlm("data", "show", "lessons", "--json").json

    assert [column["name"] for column in shown["columns"]] == ["row_id", "source", "text"]
    assert shown["removed"] == {"duplicate": 1}


def test_a_column_that_is_not_there_is_named(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"body": "a river"}])
    project.write(PROJECT)

    error = project.mlm("run", "--json").json["steps"][0]["error"]

    assert "no column 'content' (columns: row_id, source, body)" in error


def test_two_columns_of_one_name_are_refused(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"content": "a river", "text": "a sea"}])
    project.write(PROJECT)

    error = project.mlm("run", "--json").json["steps"][0]["error"]

    assert error.startswith("two columns would be named 'text'")


def test_rows_without_text_are_no_duplicates(project: TrialProject) -> None:
    project.jsonl(
        "lessons.jsonl", [{"text": "a river"}, *({"text": "", "n": i} for i in range(5)), {"text": "a river"}]
    )
    for transform in ("exact", "minhash"):
        project.write(f'[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\nsteps = ["{transform}"]\n')
        project.run()
        assert project.mlm("data", "show", "lessons", "--json").json["rows"] == {"train": 6}


def test_what_compares_or_masks_text_refuses_data_without_any(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"content": "ann@example.org"}])
    for transform in ("exact", "minhash", "pii", "secrets"):
        project.write(f'[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\nsteps = ["{transform}"]\n')
        error = project.mlm("run", "--json").json["steps"][0]["error"]
        assert "text" in error
        assert "columns: row_id, source, content" in error


def test_a_value_that_is_none_of_the_choices_is_one_clause_with_the_near_miss(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"text": "a river"}])
    project.write(
        '[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\nsteps = [{ use = "minhash", unit = "word" }]\n'
    )

    error = project.mlm("run").err

    assert "'unit' must be in ('characters', 'words') (got 'word'); did you mean 'words'?" in error
    assert "Attribute" not in error
