"""Plugins that cannot be imported, break the contract or crash: the blame has a name and a version."""

from __future__ import annotations

from pathlib import Path

import pytest
from trial import TrialProject

FAKES = "mlm-fakes"
DEFECT = "a defect of mlm-fakes: upgrade it, or use another"


def error_of(project: TrialProject, step: str) -> str:
    answer = project.mlm("run", "--json")
    assert answer.code == 1, answer.out
    [error] = [one["error"] for one in answer.json["steps"] if one["name"] == step]
    assert not [ref for ref in project.refs() if ref.startswith(f"{step}@")]
    assert project.left_over() == []
    return str(error)


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        ("ghost", "cannot be imported: ModuleNotFoundError: No module named 'a_library_that_is_not_there'"),
        ("plain", "is no attrs class; decorate it with `@attrs.define(kw_only=True)`"),
        ("hookless", "is a trainer and implements none of: mlm_train"),
        ("misspelt", "there is no hook 'mlm_trian'; did you mean 'mlm_train'?"),
    ],
)
def test_a_broken_plugin_is_quarantined_and_its_use_says_why(sound: TrialProject, plugin: str, reason: str) -> None:
    sound.change('"memory"', f'"{plugin}"')

    answer = sound.mlm("run")

    assert answer.code == 1
    assert answer.error.startswith(f"Error: {FAKES}:trainers/{plugin}")
    assert reason in answer.error
    assert answer.error.endswith("  [mlm.toml, training.chat.use]")
    examined = sound.mlm("plugins", "doctor", f"trainers/{plugin}", "trainers/keyed", "--json")
    assert (examined.code, [one["ok"] for one in examined.json]) == (1, [False, True])
    assert reason in examined.json[0]["problem"]


def test_broken_plugins_harm_no_command_that_does_not_need_them(sound: TrialProject) -> None:
    assert sound.run() == {"lessons": "ran", "chat": "ran", "quality": "ran"}
    for command in (["status"], ["plan"], ["show", "chat"], ["trace", "chat"], ["plugins"], ["audit"]):
        answer = sound.mlm(*command)
        assert (answer.code, answer.err) == (0, ""), command


@pytest.mark.parametrize(
    ("old", "new", "step", "reason"),
    [
        ('"memory"', '"untyped"', "chat", f"trainers/untyped 1.2: mlm_train returned str, expected Model; {DEFECT}"),
        (
            'path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = ["untyped"]', "lessons",
            f"transforms/untyped 1.2: mlm_map returned list, expected Batch; {DEFECT}",
        ),
        (
            'path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = ["loses"]', "lessons",
            "transforms/loses 1.2 lost rows: 5 in, 4 out, 0 removed with a reason",
        ),
        (
            'path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = ["shout", "loses-whole"]', "lessons",
            "transforms/loses-whole 1.2 lost rows: 5 in, 3 out, 0 removed with a reason",
        ),
    ],
)  # fmt: skip
def test_a_plugin_that_breaks_its_word_is_blamed_by_identity_and_version(
    sound: TrialProject, old: str, new: str, step: str, reason: str
) -> None:
    sound.change(old, new)

    assert error_of(sound, step) == f"{FAKES}:{reason}"


def test_a_measure_that_was_not_announced_is_blamed(sound: TrialProject) -> None:
    sound.change("[problem]", '[evaluation.odd]\nuse = "unnamed"\nmodel = "chat"\n[problem]')

    assert error_of(sound, "odd") == (
        f"{FAKES}:evaluators/unnamed 1.2: it measured 'surprise', which its `metrics` do not name; {DEFECT}"
    )


def test_a_name_in_two_distributions_is_settled_by_the_distribution(
    sound: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "plugins_for_tests" / "rival")

    assert sound.mlm("run").error == (
        "Error: trainer 'memory' is in mlm-fakes and rival: choose with `use = \"mlm-fakes/memory\"`"
        "  [mlm.toml, training.chat.use]"
    )
    sound.change('"memory"', '"rival/memory"')
    assert sound.run("chat")["chat"] == "ran"
    with sound.registry() as registry:
        assert registry.executions(step="chat")[0].plugin == "rival:trainers/memory"


def test_a_check_that_crashes_is_a_refusal(sound: TrialProject) -> None:
    sound.change("[problem]", '[governance]\nchecks = ["crashing-check"]\n[problem]')
    sound.run()

    answer = sound.mlm("promote", "chat")

    assert answer.code == 1
    assert "crashing-check raised ZeroDivisionError: division by zero (fail)" in answer.error


def test_a_trigger_that_crashes_retires_nothing_and_is_reported(sound: TrialProject) -> None:
    sound.change('use = "gateway"\nport = 0', 'use = "shelf"')
    sound.change("[problem]", '[retirement.odd]\nuse = "crashing-trigger"\n[problem]')
    sound.run()

    answer = sound.mlm("reconcile", "--yes", "--json")

    assert (answer.code, answer.json["state"]) == (0, "done")
    assert set(answer.err.splitlines()) == {
        "Warning: trigger mlm-fakes:triggers/crashing-trigger failed: division by zero"
    }
    assert [one["state"] for one in sound.mlm("status", "--json").json["versions"]] == ["approved"]


def test_an_observer_that_crashes_harms_nobody_and_is_reported(sound: TrialProject) -> None:
    sound.change(
        "[problem]",
        '[governance]\npolicies = ["crashing-observer", { use = "diary", file = "diary.txt" }]\n[problem]',
    )

    answer = sound.mlm("run", "--json")

    assert answer.code == 0
    assert {one["status"] for one in answer.json["steps"]} == {"ran"}
    assert set(answer.err.splitlines()) == {
        "Warning: mlm-fakes:policies/crashing-observer failed to observe: division by zero"
    }
    assert "chat ran" in (sound.folder / "diary.txt").read_text(encoding="utf-8")


def test_a_budget_that_is_spent_stops_the_training_that_has_not_begun(sound: TrialProject) -> None:
    sound.change("[problem]", '[governance]\npolicies = [{ use = "cost", budget_usd = 0.0 }]\n[problem]')

    assert error_of(sound, "chat").startswith("chat may not start: this run has cost ")
