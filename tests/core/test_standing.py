"""What stands after a change was taken back: every command shows the measure that gates take."""

from __future__ import annotations

import pytest
from trial import TrialProject

WRONG = [{"prompt": "What is the capital of 1?", "completion": "Atlantis"}]


def changed_and_changed_back(project: TrialProject) -> None:
    """Measure quality, then on a wrong exam, then on the first one again."""
    good = project.lessons()[:20]
    for exam in (good, WRONG, good):
        project.jsonl("exam.jsonl", exam)
        project.run()


def test_status_shows_the_score_that_the_gate_takes(life: TrialProject) -> None:
    changed_and_changed_back(life)

    [verdict] = life.mlm("promote", "chat", "--dry-run", "--json").json["verdicts"]
    scores = life.mlm("status", "--json").json["scores"]

    shown = {score["metric"]: score for score in scores}["exact_match"]
    assert (shown["value"], shown["n"], shown["current"]) == (verdict["evidence"]["value"], 20, True)


def test_report_and_card_show_it_too(life: TrialProject) -> None:
    changed_and_changed_back(life)

    assert life.mlm("report", "--output", life.folder / "life.html").code == 0
    page = (life.folder / "life.html").read_text(encoding="utf-8")
    card = life.mlm("card", "chat").out

    assert "quality on chat@1, n = 20" in page
    assert "not up to date" not in page
    assert "changed since it measured this" not in card
    [row] = [line for line in card.splitlines() if line.startswith("|") and "exact_match" in line and "quality" in line]
    assert "20" in row


def test_a_score_whose_data_changed_is_marked_until_it_is_measured_again(life: TrialProject) -> None:
    life.run()
    life.jsonl("exam.jsonl", WRONG)

    answer = life.mlm("status")
    life.mlm("report", "--output", life.folder / "life.html")

    assert "* not up to date: its data, settings or code changed since, so no gate takes it (mlm run)" in answer.out
    assert {score["current"] for score in life.mlm("status", "--json").json["scores"]} == {False}
    assert "not up to date" in (life.folder / "life.html").read_text(encoding="utf-8")
    assert "quality: its data, settings or code changed since it measured this" in life.mlm("card", "chat").out


def test_a_project_that_does_not_hold_together_marks_nothing(life: TrialProject) -> None:
    life.run()
    life.change('use = "exact-match"', 'use = "exact-mash"')

    scores = life.mlm("status", "--json").json["scores"]

    assert {score["current"] for score in scores} == {None}


def test_show_names_the_node_that_is_up_to_date(life: TrialProject) -> None:
    changed_and_changed_back(life)

    answer = life.mlm("show", "quality")

    assert answer.out.startswith("quality@2  report")
    assert "note    quality@1 is up to date, not this one" in answer.out
    assert life.mlm("show", "quality", "--json").json["up_to_date"] == "quality@1"
    assert "note" not in life.mlm("show", "quality@1").out


@pytest.mark.parametrize(
    "command", [("data", "show"), ("data", "sample"), ("card",), ("export", "--croissant")], ids=" ".join
)
def test_what_shows_a_dataset_by_its_bare_name_warns_that_another_is_up_to_date(
    life: TrialProject, command: tuple[str, ...]
) -> None:
    changed_and_changed_back(life)
    warning = "Warning: this is exam@2, and exam@1 is up to date: mlm.toml or the code changed back since"

    assert warning in life.mlm(*command, "exam").err
    assert life.mlm(*command, "exam@1").err == ""
