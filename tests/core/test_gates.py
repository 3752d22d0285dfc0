"""Gates and promotion: bound to the very bytes, closed until shown otherwise, judged again when a number moves."""

from __future__ import annotations

import pytest
from trial import TrialProject

from mlm_registry import Judgement

RESTING = "Error: chat@1 is not promoted: "


def gates(project: TrialProject, ref: str) -> dict[str, str]:
    """Return the outcome of each gate that status shows for a version."""
    versions = project.mlm("status", "--json").json["versions"]
    [version] = [version for version in versions if version["ref"] == ref]
    return {gate["requirement"]: gate["outcome"] for gate in version["gates"]}


def probing(project: TrialProject, settings: str) -> None:
    """Measure `exact_match` by settings, in place of an exam."""
    project.change('use = "exact-match"', f'use = "probe"\nmetric = "exact_match"\n{settings}')
    project.change('data = "exam"\n', "")


def test_a_version_that_passes_is_approved_and_the_alias_points_at_it(life: TrialProject) -> None:
    life.run()

    answer = life.mlm("promote", "chat", "--to", "staging", "--reason", "good", "--json")

    assert answer.code == 0
    assert answer.json["promoted"] is True
    assert [(verdict["outcome"], verdict["by"]) for verdict in answer.json["verdicts"]] == [("pass", "quality")]
    [version] = life.mlm("status", "--json").json["versions"]
    assert (version["ref"], version["state"], version["aliases"]) == ("chat@1", "approved", ["staging"])
    with life.registry() as registry:
        [approval] = registry.models.approvals()
        assert (approval.subject, approval.by, approval.reason) == ("chat@1", "tester", "good")


def test_a_verdict_leads_to_its_report(life: TrialProject) -> None:
    life.run()
    [verdict] = life.mlm("promote", "chat", "--dry-run", "--json").json["verdicts"]

    with life.registry() as registry:
        assert registry.node(verdict["evidence"]["report"]).ref == "quality@1"


def test_a_dry_run_promotes_nothing(life: TrialProject) -> None:
    life.run()

    assert life.mlm("promote", "chat", "--dry-run").out.splitlines()[-1] == "chat@1 would be approved"
    with life.registry() as registry:
        assert registry.models.aliases() == []
        assert registry.models.version("chat").state == "candidate"


def test_a_refusal_prints_the_same_verdicts_and_a_dry_run_of_it_is_no_failure(life: TrialProject) -> None:
    life.change("min = 0.8", "min = 0.95")
    life.run()

    told, dry = life.mlm("promote", "chat", "--dry-run"), life.mlm("promote", "chat", "--dry-run", "--json")
    refused = life.mlm("promote", "chat", "--json")

    assert (told.code, dry.code, refused.code) == (0, 0, 1)
    assert told.out.splitlines()[-1] == "chat@1 would be refused"
    assert dry.json == refused.json
    assert (dry.json["promoted"], [v["outcome"] for v in dry.json["verdicts"]]) == (False, ["inconclusive"])
    assert refused.error.startswith("Error: chat@1 is not promoted: ")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("value = 0.5", "usefulness: exact_match 0.5 without an interval, required >= 0.8 (fail)"),
        (
            "value = 0.85\nlow = 0.75\nhigh = 0.9",
            "usefulness: exact_match 0.85 [0.75, 0.9], required >= 0.8 (inconclusive)",
        ),
    ],
)
def test_anything_but_a_pass_refuses(life: TrialProject, settings: str, reason: str) -> None:
    probing(life, settings)
    life.run()

    answer = life.mlm("promote", "chat")

    assert (answer.code, answer.error) == (1, RESTING + reason)
    with life.registry() as registry:
        assert registry.models.version("chat").state == "candidate"
        assert registry.models.alias("production") is None
        refusal = registry.audit.events()[0]
        assert (refusal.action, refusal.subject, refusal.by) == ("promotion-refused", "chat@1", "tester")


def test_what_was_not_evaluated_is_refused(life: TrialProject) -> None:
    life.run("chat")

    answer = life.mlm("promote", "chat")

    assert (
        answer.error
        == RESTING + "usefulness: exact_match of chat@1 has no up-to-date measure by 'quality' (mlm run quality) (fail)"
    )


def test_without_a_gate_nothing_is_promoted(life: TrialProject) -> None:
    life.change('usefulness = { metric = "exact_match", min = 0.8 }', "")
    life.run()

    assert life.mlm("promote", "chat").error == RESTING + "no requirement has a gate on this model (fail)"


def test_an_exported_child_inherits_no_score(life: TrialProject) -> None:
    life.change("[problem]", '[export.folded]\nuse = "folded"\nmodel = "chat"\n[problem]')
    life.run()

    assert life.mlm("promote", "chat").code == 0
    assert life.mlm("promote", "folded").error == (
        "Error: folded@1 is not promoted: usefulness: exact_match of folded@1 has no "
        "up-to-date measure by 'quality' (mlm run quality) (fail)"
    )


def test_a_number_that_changes_is_judged_again_without_a_run(life: TrialProject) -> None:
    life.run()
    assert life.mlm("promote", "chat").code == 0
    assert gates(life, "chat@1") == {"usefulness": "pass"}

    life.change("min = 0.8", "min = 0.95")

    assert life.ran() == set()
    assert life.mlm("promote", "chat").error.endswith("required >= 0.95 (inconclusive)")
    assert gates(life, "chat@1") == {"usefulness": "inconclusive"}


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("crashing-check", "crashing-check raised ZeroDivisionError: division by zero (fail)"),
        ("unsure", "cannot say (inconclusive)"),
        ("card", "[problem] lacks owner, risk_tier, license (fail)"),
    ],
)
def test_a_check_that_does_not_pass_is_a_refusal(life: TrialProject, check: str, reason: str) -> None:
    life.change("[problem]", f'[governance]\nchecks = ["{check}"]\n[problem]')
    life.run()

    answer = life.mlm("promote", "chat")

    assert (answer.code, answer.error) == (1, RESTING + reason)


def test_a_refusal_names_every_reason(life: TrialProject) -> None:
    life.change("[problem]", '[governance]\nchecks = ["unsure", "crashing-check"]\n[problem]')
    probing(life, "value = 0.5")
    life.run()

    error = life.mlm("promote", "chat").error

    assert all(reason in error for reason in ("exact_match 0.5", "cannot say", "crashing-check raised"))


def test_a_recalled_version_is_refused(life: TrialProject) -> None:
    life.run()
    with life.registry() as registry:
        registry.recalls.add("chat", [registry.node("chat").id], by="tester", reason="poisoned")

    assert life.mlm("promote", "chat").error == RESTING + "chat@1 is recalled (fail)"


def test_a_version_that_rests_on_recalled_rows_is_refused(life: TrialProject) -> None:
    life.run()
    with life.registry() as registry:
        registry.recalls.add("lessons", [registry.node("lessons").id], by="tester", reason="poisoned")

    assert life.mlm("promote", "chat").error == RESTING + "chat@1 rests on lessons@1, which is recalled (fail)"


def test_a_retired_version_is_refused(life: TrialProject) -> None:
    life.run()
    life.mlm("retire", "chat", "--reason", "old")

    assert life.mlm("promote", "chat").error == RESTING + "chat@1 is retired (fail)"


def test_a_version_that_failed_its_canary_is_refused(life: TrialProject) -> None:
    life.run()
    with life.registry() as registry:
        digest = registry.node("chat").digest
        registry.judge(Judgement(digest, "canary", "rollout", "fail", "rolled-back", "too many complaints"))

    assert life.mlm("promote", "chat").error == RESTING + "failed its canary: too many complaints (fail)"


def test_only_those_whom_the_file_names_may_promote_and_retire(life: TrialProject) -> None:
    life.change("[problem]", '[access]\npromote = ["ada"]\nretire = ["ada"]\n[problem]')
    life.run()

    assert life.mlm("promote", "chat").error == (
        "Error: 'tester' may not promote (allowed: ada)  [mlm.toml, access.promote]"
    )
    assert life.mlm("retire", "chat", "--reason", "old").error == (
        "Error: 'tester' may not retire (allowed: ada)  [mlm.toml, access.retire]"
    )
    assert life.mlm("promote", "chat", "--by", "ada").code == 0


def test_promotion_is_for_models(life: TrialProject) -> None:
    life.run()

    assert life.mlm("promote", "lessons").error == "Error: lessons@1 is a dataset, not a model"
    assert life.mlm("promote", "chta").error == "Error: no node is named 'chta'; did you mean 'chat'?"


def test_a_report_on_other_data_is_no_evidence(life: TrialProject) -> None:
    life.run()
    assert life.mlm("promote", "chat", "--dry-run").code == 0

    life.change('data = "exam"', 'data = "lessons"')

    assert "exact_match of chat@1 has no up-to-date measure" in life.mlm("promote", "chat").error
