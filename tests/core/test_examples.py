"""From a number to the rows behind it: `mlm show <report> --examples`."""

from __future__ import annotations

import pytest
from trial import LESSONS, TrialProject

STRANGE = {"prompt": "What is the capital of Nowhere?", "completion": "City of None"}


@pytest.fixture
def examined(life: TrialProject) -> TrialProject:
    """A project whose model was asked one thing that it never learned, in the middle of its exam."""
    life.jsonl("exam.jsonl", [*LESSONS[:10], STRANGE, *LESSONS[10:20]])
    life.run("quality")
    return life


def test_the_worst_example_comes_first_and_leads_to_its_row(examined: TrialProject) -> None:
    answer = examined.mlm("show", "quality", "--examples", "2", "--json").json

    assert [(one["prompt"], one["score"]) for one in answer["examples"]] == [
        (STRANGE["prompt"], 0.0),
        (LESSONS[0]["prompt"], 1.0),
    ]
    assert answer["examples"][0]["expected"] == STRANGE["completion"]
    [way] = examined.mlm("data", "why", answer["examples"][0]["row_id"], "--json").json
    assert way["source"] == "exam.jsonl:11"


def test_a_report_says_how_many_examples_it_keeps_and_how_to_see_them(examined: TrialProject) -> None:
    assert "21 examples: mlm show quality@1 --examples 5 shows the worst" in examined.mlm("show", "quality").out

    shown = examined.mlm("show", "quality", "--examples", "1").out

    assert f"  prompt    {STRANGE['prompt']}" in shown
    assert f"  expected  {STRANGE['completion']}" in shown
    assert "the worst 1 of 21 examples; mlm data why ROW follows one to its source" in shown


def test_without_a_direction_no_example_is_called_the_worst(life: TrialProject) -> None:
    life.change(
        'use = "exact-match"\nmodel = "chat"\ndata = "exam"', 'use = "probe"\nmetric = "exact_match"\nmodel = "chat"'
    )
    life.run("quality")

    shown = life.mlm("show", "quality", "--examples", "1").out

    assert "probe-0.25  score 0.25" in shown
    assert "by the lowest score, for no direction says which are worse, 1 of 2 examples" in shown


def test_a_report_without_examples_says_so_where_some_are_asked_for(life: TrialProject) -> None:
    life.change("[deployment.api]", '[evaluation.shaking]\nuse = "shaky"\nmodel = "chat"\nby = 0.1\n[deployment.api]')
    life.run("shaking")

    shown = life.mlm("show", "shaking", "--examples", "3").out

    assert "shaking@1 keeps no examples: its evaluator judges no single rows" in shown
    assert "keeps no examples" not in life.mlm("show", "shaking").out


def test_what_is_no_report_has_no_examples(examined: TrialProject) -> None:
    assert "examples" not in examined.mlm("show", "chat").out
    refused = examined.mlm("show", "chat", "--examples", "3")

    assert (refused.code, refused.error) == (
        1,
        "Error: chat@1 is a model, and only a report has examples: name an evaluation step",
    )
