"""The step graph: an order that can run, whatever the order of the file."""

from __future__ import annotations

from trial import TrialProject

STEPS = """
[evaluation.quality]
use = "probe"
model = ["folded", "chat"]

[export.folded]
use = "folded"
model = "chat"

[training.chat]
use = "memory"
data = ["lessons", "more/train"]
model = "base"

[data.more]
use = "pairs"
rows = { "two?" = "2" }

[data.lessons]
use = "mix"
inputs = ["more", "greetings"]

[data.greetings]
use = "pairs"
rows = { "hello" = "hi" }

[model.base]
use = "blank"
"""


def planned(project: TrialProject) -> list[dict[str, object]]:
    return list(project.mlm("plan", "--json").json["steps"])


def test_steps_come_after_what_they_need_and_else_in_the_order_of_the_lifecycle(project: TrialProject) -> None:
    project.write(STEPS)

    assert [(step["stage"], step["name"]) for step in planned(project)] == [
        ("data", "more"), ("data", "greetings"), ("model", "base"), ("data", "lessons"), ("training", "chat"),
        ("export", "folded"), ("evaluation", "quality:chat"), ("evaluation", "quality:folded"),
    ]  # fmt: skip


def test_a_step_needs_what_its_ports_its_fields_and_its_chain_name(project: TrialProject) -> None:
    project.write(STEPS)
    project.change(
        'inputs = ["more", "greetings"]',
        'inputs = ["more"]\nsteps = [{ use = "decontaminate", against = ["greetings"] }]',
    )

    needs = {step["name"]: step["needs"] for step in planned(project)}

    assert needs["chat"] == ["base", "lessons", "more"]
    assert needs["lessons"] == ["greetings", "more"]


def test_an_evaluation_of_several_models_is_one_execution_each(project: TrialProject) -> None:
    project.write(STEPS)

    assert project.run() == dict.fromkeys((step["name"] for step in planned(project)), "ran")
    with project.registry() as registry:
        models = {registry.node(ref).digest: ref for ref in ("chat@1", "folded@1")}
        assert {models[score.model] for score in registry.scores()} == {"chat@1", "folded@1"}
        assert {score.step for score in registry.scores()} == {"quality"}


def test_a_list_of_datasets_is_read_as_one(project: TrialProject) -> None:
    project.write(STEPS)
    project.run("chat")

    with project.registry() as registry:
        node = registry.node("chat")
        assert [(role, source.ref) for role, source, _ in registry.inputs(node)] == [
            ("data", "lessons@1"), ("data", "more@1"), ("model", "base@1"),
        ]  # fmt: skip
        metrics = registry.metrics(execution=node.execution)
        assert [metric.step for metric in metrics] == [0, 1, 2]


def test_a_plan_runs_nothing_and_says_what_waits_for_what(project: TrialProject) -> None:
    project.write(STEPS)
    project.run("greetings")

    status = {step["name"]: (step["status"], step["output"]) for step in planned(project)}

    assert status["greetings"] == ("cached", "greetings@1")
    assert status["more"] == ("run", "")
    assert status["quality:chat"] == ("pending", "")
    assert project.refs() == {"greetings@1"}


def test_steps_that_are_named_bring_what_they_need_and_nothing_else(project: TrialProject) -> None:
    project.write(STEPS)

    assert set(project.run("chat")) == {"more", "greetings", "lessons", "base", "chat"}
    assert set(project.run("quality")) == {step["name"] for step in planned(project)}
    assert project.mlm("run", "chta").error == "Error: no step is named 'chta'; did you mean 'chat'?"
