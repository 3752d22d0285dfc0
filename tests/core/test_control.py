"""The control loop: from the first deployment over canary and improvement to retirement, until nothing is left."""

from __future__ import annotations

import json

import pytest
from trial import TrialProject

ISLANDS = [{"prompt": f"What is the capital of island {i}?", "completion": f"Port {i}"} for i in range(10)]


def kinds(found: dict[str, list[dict[str, str]]], key: str = "actions") -> list[str]:
    return [action["kind"] for action in found[key]]


def texts(found: dict[str, list[dict[str, str]]], key: str = "actions") -> list[str]:
    return [action["text"] for action in found[key]]


def arms(project: TrialProject) -> dict[str, float]:
    [deployment] = project.mlm("status", "--json").json["deployments"]
    return {arm["version"]: arm["share"] for arm in deployment["arms"]}


def decided(project: TrialProject) -> str:
    """Return all that was decided so far: states, aliases, revisions, proposals, amendments."""
    view = project.mlm("status", "--json").json
    plan = project.mlm("plan", "--json").json
    deployments = [(one["revision"], one["arms"]) for one in view["deployments"]]
    return json.dumps([view["versions"], deployments, view["proposals"], plan["amendments"], plan["steps"]])


@pytest.fixture
def deployed(life: TrialProject) -> TrialProject:
    """chat@1 serves everything."""
    life.run()
    assert life.reconcile("--yes")["state"] == "done"
    return life


@pytest.fixture
def second(deployed: TrialProject) -> TrialProject:
    """chat@2 is made and knows a little more."""
    deployed.jsonl("lessons.jsonl", [*deployed.lessons(), {"prompt": "Is it large?", "completion": "It is."}])
    deployed.run()
    return deployed


def test_what_has_not_run_waits_for_mlm_run(life: TrialProject) -> None:
    found = life.reconcile("--yes")

    assert (found["state"], found["actions"]) == ("waiting", [])
    assert texts(found, "waiting") == ["mlm run: 4 steps are not up to date"]
    assert life.refs() == set()


def test_the_first_version_waits_for_approval_and_then_takes_all_traffic(life: TrialProject) -> None:
    life.run()

    found = life.reconcile()
    assert (found["actions"], texts(found, "waiting")) == (
        [], ["approval of chat@1: all gates pass (mlm promote chat@1 --to production)"],
    )  # fmt: skip

    found = life.reconcile("--yes")
    assert texts(found) == [
        "chat@1 is promoted to production by tester: all gates pass", "chat@1 takes all traffic",
    ]  # fmt: skip
    assert arms(life) == {"chat@1": 1.0}


def test_a_second_look_finds_nothing_to_do(deployed: TrialProject) -> None:
    found = deployed.reconcile("--yes")

    assert (found["state"], found["actions"], found["waiting"]) == ("done", [], [])
    assert deployed.mlm("reconcile").out == "done: nothing is left to do\n"


def test_an_endpoint_that_does_not_answer_is_waited_for(deployed: TrialProject) -> None:
    deployed.change('use = "shelf"', 'use = "shelf"\nready = false')

    found = deployed.reconcile("--yes")

    assert (found["state"], texts(found, "waiting")) == ("waiting", ["nobody is at the shelf"])


def test_a_canary_rises_from_5_to_25_to_100_percent_as_traffic_allows(second: TrialProject) -> None:
    found = second.reconcile("--yes")
    assert texts(found)[-1] == "canary of chat@2 starts at 5%"
    assert texts(found, "waiting") == ["chat@2 at 5%: 0 of 8 requests at 5%"]
    assert arms(second) == {"chat@1": 0.95, "chat@2": 0.05}

    for share in (0.25, 1.0):
        visits = second.visit(second.lessons(), times=8)
        assert visits["chat@2"] >= 8
        found = second.reconcile("--yes")
        assert kinds(found)[0] == "deploy"
        assert arms(second)["chat@2"] == share

    assert texts(found) == [
        f"chat@2 takes all traffic: every requirement passed in {visits['chat@2']} requests at 25%",
        "chat@1 is retired: chat@2 serves all traffic and chat@1 none",
    ]
    assert found["state"] == "done"


def test_a_canary_without_enough_traffic_stays(second: TrialProject) -> None:
    second.reconcile("--yes")
    second.visit(second.lessons()[:5])

    found = second.reconcile("--yes")

    assert (found["actions"], kinds(found, "waiting")) == ([], ["canary"])
    assert arms(second)["chat@2"] == 0.05


@pytest.fixture
def worse(deployed: TrialProject) -> TrialProject:
    """chat@2 has learned for the exam only; it passes, and fails in life."""
    deployed.change('use = "memory"', 'use = "memory"\nmost = 30')
    deployed.run()
    assert texts(deployed.reconcile("--yes"))[-1] == "canary of chat@2 starts at 5%"
    deployed.visit(deployed.lessons()[30:], times=16)
    return deployed


def test_a_failing_canary_is_rolled_back_without_asking_anybody(worse: TrialProject) -> None:
    found = worse.reconcile()

    assert kinds(found) == ["rollback"]
    assert texts(found)[0].startswith("canary of chat@2 rolled back: content: complaint_rate 1 [")
    assert arms(worse) == {"chat@1": 1.0}
    with worse.registry() as registry:
        moves = [registry.node(move.node).ref for move in registry.models.history("production")]
        assert moves == ["chat@1", "chat@2", "chat@1"]


def test_what_was_rolled_back_is_not_promoted_again(worse: TrialProject) -> None:
    worse.reconcile("--yes")

    found = worse.reconcile("--yes")

    assert (found["state"], found["actions"]) == ("done", [])
    assert arms(worse) == {"chat@1": 1.0}
    assert "failed its canary" in worse.mlm("promote", "chat@2").error


@pytest.fixture
def complaining(deployed: TrialProject) -> TrialProject:
    """Visitors ask what chat@1 never learned, and correct it."""
    assert deployed.visit(ISLANDS) == {"chat@1": 10}
    return deployed


def test_a_broken_set_point_makes_a_proposal_that_waits_for_approval(complaining: TrialProject) -> None:
    found = complaining.reconcile()

    assert kinds(found) == ["propose"]
    [waiting] = texts(found, "waiting")
    assert waiting.startswith("approval of proposal 1: Train on ")
    assert waiting.endswith(" (mlm reconcile --yes)")
    [proposal] = complaining.mlm("status", "--json").json["proposals"]
    assert (proposal["state"], proposal["by"]) == ("open", "mlm:improvers/corrections")
    assert proposal["changes"] == [{"op": "add", "target": "lessons", "value": "corrections@1"}]
    assert proposal["evidence"]["signals"][0]["metric"] == "complaint_rate"


def test_without_yes_nothing_is_decided(complaining: TrialProject) -> None:
    complaining.reconcile()
    before = decided(complaining)

    found = complaining.reconcile()

    assert (found["state"], found["actions"]) == ("waiting", [])
    assert decided(complaining) == before
    assert complaining.mlm("plan", "--json").json["amendments"] == []


def test_an_approved_proposal_leads_to_a_version_that_learned_from_it(complaining: TrialProject) -> None:
    complaining.reconcile()
    found = complaining.reconcile("--yes")

    assert kinds(found) == ["approve", "run", "promote", "deploy"]
    assert texts(found)[0] == "proposal 1 is approved by tester: add corrections@1 to lessons"
    assert texts(found)[1].endswith(" made lessons@2, chat@2, quality@2")
    assert texts(found)[3] == "canary of chat@2 starts at 5%"
    [amendment] = complaining.mlm("plan", "--json").json["amendments"]
    assert (amendment["op"], amendment["target"], amendment["by"]) == ("add", "lessons", "tester")

    for _ in range(2):
        complaining.visit([*complaining.lessons(), *ISLANDS], times=6)
        found = complaining.reconcile("--yes")
    assert kinds(found) == ["deploy", "settle", "retire"]
    assert texts(found)[1] == "proposal 1 is done: chat@2 learned from it"
    assert found["state"] == "done"

    found = complaining.reconcile("--yes")
    assert (found["state"], found["actions"]) == ("done", [])
    lineage = {row["ref"] for row in complaining.mlm("trace", "production", "--json").json["nodes"]}
    assert lineage == {"lessons@2", "corrections@1", "chat@2"}
    with complaining.registry() as registry:
        rows = (
            registry.objects.path(registry.node("corrections@1").digest) / "data" / "train-00000-of-00001.parquet"
        ).read_bytes()
    assert b"exchange:chatcmpl-" in rows
    states = {one["ref"]: one["state"] for one in complaining.mlm("status", "--json").json["versions"]}
    assert states == {"chat@1": "retired", "chat@2": "approved"}
    assert complaining.mlm("audit", "verify").code == 0


def test_the_people_who_may_approve_are_named_in_the_file(complaining: TrialProject) -> None:
    complaining.change("[problem]", '[access]\napprove = ["ada"]\n[problem]')
    complaining.reconcile()

    assert complaining.mlm("reconcile", "--yes").error == (
        "Error: 'tester' may not approve (allowed: ada)  [mlm.toml, access.approve]"
    )
    assert complaining.mlm("plan", "--json").json["amendments"] == []


def test_a_proposal_that_sets_a_value_is_settled_once_it_serves(complaining: TrialProject) -> None:
    tuner = 'use = "tuner"\ntable = "training.chat"\nkey = "most"\nvalue = 40'
    complaining.change('use = "corrections"\ninto = "lessons"\nmin_corrections = 5', tuner)
    complaining.change('rollout = { use = "canary", shares = [5, 25, 100], min_samples = 8 }', "")

    found = complaining.reconcile("--yes")

    assert kinds(found) == ["propose", "approve", "run", "promote", "deploy", "settle", "retire"]
    assert found["state"] == "done"


def test_while_a_proposal_is_on_its_way_no_other_is_made(complaining: TrialProject) -> None:
    complaining.reconcile()
    complaining.visit(ISLANDS)

    assert complaining.reconcile()["actions"] == []


def test_a_run_that_fails_is_said_and_exits_with_1(complaining: TrialProject) -> None:
    complaining.reconcile()
    complaining.change('use = "memory"', 'use = "failing"')

    answer = complaining.mlm("reconcile", "--yes", "--json")

    assert answer.code == 1
    [waiting] = [action for action in answer.json["waiting"] if action["failed"]]
    assert waiting["text"].startswith("chat failed: RuntimeError: the loss is not a number")
    assert arms(complaining) == {"chat@1": 1.0}


def test_a_run_that_waits_for_people_waits(complaining: TrialProject) -> None:
    complaining.reconcile()
    complaining.change('use = "memory"', 'use = "needs-people"')

    found = complaining.reconcile("--yes")

    assert (kinds(found), texts(found, "waiting")) == (["approve"], ["chat waits: 70 rows need labels"])


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--exit-code",), 3), (("--exit-code", "--quiet"), 3)])
def test_the_exit_code_tells_that_something_is_waited_for(
    life: TrialProject, options: tuple[str, ...], code: int
) -> None:
    answer = life.mlm("reconcile", *options)

    assert answer.code == code
    assert bool(answer.out) == ("--quiet" not in options)


def test_the_exit_code_of_what_is_done_is_0(deployed: TrialProject) -> None:
    assert deployed.mlm("reconcile", "--exit-code").code == 0


def test_a_version_that_serves_is_not_retired_by_hand(deployed: TrialProject) -> None:
    answer = deployed.mlm("retire", "chat@1", "--reason", "old")

    assert (answer.code, answer.error) == (
        1, "Error: chat@1 serves 100% of the traffic: deploy another version first",
    )  # fmt: skip


def test_a_version_that_serves_nobody_is_retired_with_its_reason(life: TrialProject) -> None:
    life.run()

    assert life.mlm("retire", "chat@1", "--reason", "never used").out == "chat@1 is retired: never used\n"
    with life.registry() as registry:
        [judgement] = registry.judgements(subject=registry.node("chat").digest, kind="retirement")
        assert (judgement.by, judgement.code, judgement.reason) == ("tester", "by-hand", "never used")
    assert life.mlm("retire", "chat@1", "--reason", "again").error == "Error: chat@1 is retired already"


def test_an_aborted_canary_gives_the_incumbent_everything_back(second: TrialProject) -> None:
    second.reconcile("--yes")
    assert arms(second) == {"chat@1": 0.95, "chat@2": 0.05}

    assert second.mlm("promote", "chat@1").code == 0
    second.mlm("deploy", "api")

    assert arms(second) == {"chat@1": 1.0}


def test_a_version_that_a_person_moved_away_from_is_not_promoted_again(second: TrialProject) -> None:
    second.reconcile("--yes")
    second.mlm("promote", "chat@1", "--reason", "by hand")

    found = second.reconcile("--yes")

    assert "promote" not in kinds(found)
    assert arms(second) == {"chat@1": 1.0}


def test_a_canary_that_is_no_longer_admitted_is_rolled_back(second: TrialProject) -> None:
    second.reconcile("--yes")
    with second.registry() as registry:
        registry.recalls.add("chat@2", [registry.node("chat@2").id], by="tester", reason="poisoned")

    found = second.reconcile("--yes")

    assert "chat@2 is recalled" in " ".join(texts(found))
    assert arms(second) == {"chat@1": 1.0}


def test_only_one_reconciliation_works_at_a_time(deployed: TrialProject) -> None:
    from mlm.locking import locked

    with locked(deployed.folder / ".mlm" / "reconcile.lock", "busy"):
        assert "another reconciliation is at work" in deployed.mlm("reconcile").error
