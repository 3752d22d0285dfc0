"""What judges a model is found for the inputs that are compared with it, and what is left out is said."""

from __future__ import annotations

import pytest
from trial import TrialProject

STEPS = """
[data.facts]
use = "jsonl"
path = "facts.jsonl"
steps = [{ use = "split", test = 0.5 }]

[data.lessons]
use = "mix"
inputs = ["facts/train"]
steps = ["decontaminate"]

[data.exam]
use = "jsonl"
path = "exam.jsonl"

[data.other]
use = "jsonl"
path = "exam.jsonl"

[training.chat]
use = "memory"
data = "lessons"

[export.folded]
use = "folded"
model = "chat"

[training.stranger]
use = "memory"
data = "other"

[evaluation.quality]
use = "exact-match"
model = ["chat", "folded"]
data = "facts/test"

[evaluation.hard]
use = "exact-match"
model = "folded"
data = ["exam"]

[evaluation.elsewhere]
use = "exact-match"
model = "stranger"
data = "other"
"""
AGAINST = 'steps = [{ use = "decontaminate", against = [%s] }]'


@pytest.fixture
def judged(project: TrialProject) -> TrialProject:
    rows = [{"prompt": f"What is the colour of the house number {n}?", "completion": "red"} for n in range(20)]
    project.jsonl("facts.jsonl", rows)
    project.jsonl("exam.jsonl", [{"prompt": row["prompt"].upper(), "completion": "blue"} for row in rows[:3]])
    project.write(STEPS)
    return project


def needs(project: TrialProject) -> dict[str, list[str]]:
    return {step["name"]: step["needs"] for step in project.mlm("plan", "--json").json["steps"]}


def findings(project: TrialProject) -> list[str]:
    return [f["title"] for f in project.mlm("review", "--json").json if f["code"] == "contamination"]


def test_a_judging_input_that_is_left_out_is_every_set_that_judges_what_learns_from_the_step(
    judged: TrialProject,
) -> None:
    assert needs(judged)["lessons"] == ["exam", "facts"]
    assert needs(judged)["other"] == []

    judged.run()

    with judged.registry() as registry:
        inputs = [(role, node.ref, split) for role, node, split in registry.inputs(registry.node("lessons"))]
    assert inputs == [
        ("inputs", "facts@1", "train"), ("against", "facts@1", "test"), ("against", "exam@1", ""),
    ]  # fmt: skip
    told = judged.mlm("show", "lessons", "--json").json["chain"]
    assert told[-1]["removed"].keys() == {"contamination"}
    assert findings(judged) == []


def test_a_set_that_a_named_input_leaves_out_is_a_finding(judged: TrialProject) -> None:
    judged.change('steps = ["decontaminate"]', AGAINST % '"facts"')

    assert findings(judged) == ["'lessons' is not compared with 'exam', by which hard judges what learns from it"]

    judged.change('against = ["facts"]', 'against = ["exam"]')

    assert findings(judged) == [
        "'lessons' is not compared with 'facts/test', by which quality judges what learns from it"
    ]


def test_a_later_split_of_the_step_itself_cannot_be_compared_with_and_the_error_says_what_to_do(
    judged: TrialProject,
) -> None:
    judged.change('steps = [{ use = "split", test = 0.5 }]', 'steps = ["decontaminate", { use = "split", test = 0.5 }]')

    assert judged.mlm("plan").error == (
        "Error: it is left out, and 'facts/test', by which such a model is judged, is made of 'facts' itself: split"
        " first, and compare in a data step that reads the training split  [mlm.toml, data.facts.steps[0].against]"
    )


def test_where_nothing_judges_the_datasets_must_be_named(judged: TrialProject) -> None:
    judged.change(
        '[data.exam]\nuse = "jsonl"\npath = "exam.jsonl"',
        '[data.exam]\nuse = "jsonl"\npath = "exam.jsonl"\nsteps = ["decontaminate"]',
    )

    assert judged.mlm("plan").error == (
        "Error: it is left out, and no evaluation judges a model that learns from 'exam': name the datasets"
        "  [mlm.toml, data.exam.steps[0].against]"
    )


def trained(project: TrialProject) -> list[str]:
    return [f["title"] for f in project.mlm("review", "--json").json if f["code"] == "trained-on-test"]


def test_what_a_model_learns_from_and_is_judged_by_is_an_error_of_the_review(judged: TrialProject) -> None:
    told = "'stranger' learns from 'other', and 'elsewhere' judges by the same rows, 'other'"

    assert trained(judged) == [told]
    assert judged.mlm("review").code == 1
    assert f"Error: {told}: give it another split" in judged.mlm("plan").out

    judged.change('model = "stranger"\ndata = "other"', 'model = "stranger"\ndata = "exam"')

    assert trained(judged) == []


def test_a_whole_dataset_that_is_mixed_in_is_found_to_hold_the_split_that_judges(judged: TrialProject) -> None:
    judged.change('model = "stranger"\ndata = "other"', 'model = "stranger"\ndata = "exam"')
    judged.change('inputs = ["facts/train"]', 'inputs = ["facts"]')

    assert trained(judged) == []  # `decontaminate` compares them.

    judged.change('\nsteps = ["decontaminate"]', "")

    assert trained(judged) == ["'lessons' learns from 'facts', and 'quality' judges by the same rows, 'facts/test'"]
