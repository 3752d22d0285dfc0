"""An execution is run again from its lineage; how far the result is the same is said, and what diverges first."""

from __future__ import annotations

from typing import Any

import pytest
from trial import LESSONS, TrialProject


def outcomes(project: TrialProject, *options: str) -> dict[str, str]:
    return {replay["ref"]: replay["outcome"] for replay in verified(project, *options)["replays"]}


def verified(project: TrialProject, *options: str) -> Any:
    return project.mlm("replay", *options, "--json").json


def test_a_deterministic_life_is_bitwise_the_same_from_its_sources(life: TrialProject) -> None:
    life.run()
    before = life.refs()

    answer = life.mlm("replay", "quality", "--from-sources", "--json")

    assert answer.code == 0
    assert {r["ref"]: r["outcome"] for r in answer.json["replays"]} == {
        "lessons@1": "bitwise", "exam@1": "bitwise", "chat@1": "bitwise", "quality@1": "bitwise",
    }  # fmt: skip
    assert all(r["recorded"] == r["made"] for r in answer.json["replays"])
    assert answer.json["first_diverging"] is None
    assert life.refs() == before
    assert list((life.folder / ".mlm").glob("replay-*")) == []


def test_other_bytes_with_the_same_answers_are_token_identical(life: TrialProject) -> None:
    life.change('use = "memory"', 'use = "unsteady"')
    life.run()

    assert outcomes(life, "chat") == {"chat@1": "token-identical"}


def test_other_answers_are_not_reproducible_and_named_first(life: TrialProject) -> None:
    life.change('use = "memory"', 'use = "unsteady"\nanswers = true')
    life.run()

    answer = life.mlm("replay", "quality", "--from-sources")

    assert answer.code == 1
    assert "the first that diverges is chat@1" in answer.out
    assert "not reproducible  chat@1: greedy continuations of 32 of 32 training prompts differ" in answer.out
    # Given the recorded model, the evaluation is the same: it is not to blame.
    assert "bitwise           quality@1" in answer.out


@pytest.mark.parametrize(("by", "outcome"), [(1e-9, "within epsilon"), (1e-2, "not reproducible")])
def test_a_measure_may_differ_by_epsilon(life: TrialProject, by: float, outcome: str) -> None:
    file = life.folder / "mlm.toml"
    shaky = f'\n[evaluation.shaky]\nuse = "shaky"\nmodel = "chat"\nby = {by}\n'
    file.write_text(file.read_text() + shaky)
    life.run()

    assert outcomes(life, "shaky") == {"shaky@1": outcome}
    assert outcomes(life, "shaky", "--epsilon", "1") == {"shaky@1": "within epsilon"}


def test_what_changed_since_is_said(life: TrialProject) -> None:
    life.run()
    life.jsonl("lessons.jsonl", LESSONS[:50])

    (replay,) = verified(life, "lessons@1")["replays"]
    assert replay["outcome"] == "not reproducible"
    assert replay["reason"] == "plugin code, settings, source or seed of 'lessons' are not those of lessons@1"
    # The model was made from what is still stored.
    assert outcomes(life, "chat@1") == {"chat@1": "bitwise"}


def test_erased_inputs_are_said(life: TrialProject) -> None:
    rows = [{**row, "user": "ada" if i < 5 else "bob"} for i, row in enumerate(LESSONS)]
    life.jsonl("lessons.jsonl", rows)
    life.run()
    life.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes")

    (replay,) = verified(life, "chat@1")["replays"]

    assert replay["reason"] == "the bytes of lessons@1 were erased or lost"
