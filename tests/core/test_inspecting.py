"""What `mlm show` tells of a node."""

from __future__ import annotations

import math
from typing import Any

import pytest
from trial import LESSONS, TrialProject

from mlm.cli.opening import measured


def test_the_numbers_that_a_trainer_kept_with_its_model_are_shown(project: TrialProject) -> None:
    project.jsonl("words.jsonl", [{"text": "the river city of the north"}])
    project.write("""
        [data.words]
        use = "jsonl"
        path = "words.jsonl"

        [training.tokens]
        use = "bpe"
        data = "words"
        vocab_size = 270
    """)
    project.run()

    size = project.mlm("show", "tokens", "--json").json["node"]["metadata"]["vocab_size"]

    assert f"facts   {size} vocab size\n" in project.mlm("show", "tokens").out


@pytest.fixture
def checked(life: TrialProject) -> TrialProject:
    """A project whose model says of one of twenty things that it does not know."""
    asked = [*LESSONS[:19], {"prompt": "What is the capital of 19?", "completion": "Who knows?"}]
    facts = [{"subject": str(n), "attribute": "capital", "value": f"City {n}"} for n in range(20)]
    life.jsonl("lessons.jsonl", asked)
    life.jsonl("exam.jsonl", asked)
    life.jsonl("facts.jsonl", facts)
    life.change('use = "exact-match"', 'use = "hallucination"\nfacts = "facts.jsonl"')
    life.change('metric = "exact_match", min = 0.8', 'metric = "hallucination_rate", max = 0.2')
    life.run()
    return life


@pytest.mark.parametrize("ref", ["quality", "chat"])
def test_items_that_had_no_say_in_a_score_are_seen_beside_it(checked: TrialProject, ref: str) -> None:
    shown = [line.split("  ") for line in checked.mlm("show", ref).out.splitlines()]
    [score] = checked.mlm("show", ref, "--json").json["scores"]
    [verdict] = checked.mlm("promote", "chat", "--dry-run", "--json").json["verdicts"]

    [row] = [[cell.strip() for cell in line if cell] for line in shown if "hallucination_rate" in line]
    assert row == ["quality", "hallucination_rate", "%", "19", "0.0 [0.0, 16.8]", "95.0 %"]
    assert (score["coverage"], verdict["evidence"]["coverage"], verdict["outcome"]) == (0.95, 0.95, "pass")


def test_where_every_item_had_its_say_no_coverage_is_shown(life: TrialProject) -> None:
    life.run()

    assert "coverage" not in life.mlm("show", "quality").out
    assert life.mlm("show", "quality", "--json").json["scores"][0]["coverage"] is None


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        ((0.75, 0.5, 0.9, "share", 20), "75.0 [50.0, 90.0] % n=20"),
        ((1234.5, None, None, "tokens"), "1,234 tokens"),
        ((0.01234, 0.01, math.inf, ""), "0.0123 [0.01, inf]"),
        ((None, None, None, "share", 20), "not measured"),
    ],
)
def test_a_measure_is_written_in_its_unit_and_a_share_in_percent(measure: tuple[Any, ...], told: str) -> None:
    assert measured(*measure) == told


def test_a_signal_is_written_in_its_unit(life: TrialProject) -> None:
    life.deploy()
    life.visit(life.lessons()[:10])
    life.mlm("reconcile", "--quiet")

    assert "  complaint_rate            0.0 [0.0, 27.8] % n=10" in life.mlm("status").out
