"""The control loop: from the first deployment over canary and improvement to retirement, until nothing is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from trial import TrialProject

from mlm import deploying
from mlm.control import Controller, Reconciliation
from mlm.gates import promote
from mlm.recalling import recall
from mlm.workspace import Workspace
from mlm_registry import Arm, Exchange

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


def test_a_version_that_serves_and_fails_its_exam_now_is_said(deployed: TrialProject) -> None:
    deployed.jsonl("exam.jsonl", [{**row, "completion": "wrong"} for row in deployed.lessons()[:30]])
    deployed.run()

    found = deployed.reconcile("--yes")

    [told] = texts(found, "waiting")
    assert told.startswith("chat@1 serves, and no server would load it again: usefulness: exact_match 0 [0, 0.1")
    assert arms(deployed) == {"chat@1": 1.0}


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

    # A share is looked at after 8 requests, 16, 32 and so on.
    last = max(8 * 2**n for n in range(9) if 8 * 2**n <= visits["chat@2"])
    assert texts(found) == [
        f"chat@2 takes all traffic: every requirement passed in {last} requests at 25%",
        "chat@1 is retired: chat@2 serves all traffic and chat@1 none",
    ]
    assert found["state"] == "done"


def test_a_canary_without_enough_traffic_stays(second: TrialProject) -> None:
    second.reconcile("--yes")
    second.visit(second.lessons()[:5])

    found = second.reconcile("--yes")

    assert (found["actions"], kinds(found, "waiting")) == ([], ["canary"])
    assert arms(second)["chat@2"] == 0.05


def test_requests_that_name_the_candidate_are_no_part_of_its_canary(second: TrialProject) -> None:
    second.reconcile("--yes")
    assert second.visit(second.lessons(), named="chat@2")["chat@2"] >= 8

    found = second.reconcile("--yes")

    assert texts(found, "waiting") == ["chat@2 at 5%: 0 of 8 requests at 5%"]


def test_a_candidate_that_turns_visitors_away_is_judged_by_those_too(second: TrialProject) -> None:
    second.change("[monitoring.ratings]", '[monitoring.traffic]\nuse = "traffic"\n\n[monitoring.ratings]')
    second.change("[problem]", '[requirements.reliable]\nmetric = "error_rate"\nmax = 0.1\n\n[problem]')
    second.reconcile("--yes")
    with second.registry() as registry:
        deployment = registry.deployments.current("api")
        assert deployment is not None
        [candidate] = [arm.node for arm in deployment.arms if arm.share == 0.05]
        away = Exchange("x", "api", deployment.revision, candidate, "chat", time.time(), {}, "hello", status=429)
        registry.exchanges.record([evolve(away, id=f"x{number}") for number in range(20)])

    found = second.reconcile("--yes")

    assert texts(found)[0].startswith("canary of chat@2 rolled back: reliable: error_rate 1 [")


def test_a_share_is_judged_on_as_many_requests_as_the_rollout_looks_at(second: TrialProject) -> None:
    second.reconcile("--yes")
    second.visit(second.lessons(), times=8)
    assert texts(second.reconcile("--yes"))[0].startswith("canary of chat@2 moves to 25%")
    while second.visit(second.lessons()[:1])["chat@2"] == 0:
        pass
    assert texts(second.reconcile("--yes"), "waiting") == ["chat@2 at 25%: 1 of 8 requests at 25%"]

    seen = 1
    while seen < 11:
        seen += second.visit(second.lessons()[:1])["chat@2"]

    assert texts(second.reconcile("--yes"))[0].endswith("every requirement passed in 8 requests at 25%")


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


def test_a_proposal_for_one_endpoint_leaves_the_alarm_of_another(deployed: TrialProject) -> None:
    deployed.change("[deployment.api]", '[deployment.second]\nuse = "shelf"\nmodel = "chat"\n\n[deployment.api]')
    deployed.change("[improvement.corrections]", '[improvement.corrections]\ndeployment = "api"')
    deployed.reconcile()
    for endpoint in ("api", "second"):
        deployed.visit(ISLANDS, deployment=endpoint)
    deployed.reconcile()

    waiting = {(one["kind"], one["subject"]) for one in deployed.reconcile()["waiting"]}

    assert waiting == {("approve", "api"), ("attention", "second")}


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


Meddle = Callable[[str, Callable[[Workspace], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meddle:
    """Let somebody else act once a function of `mlm.deploying` has given its answer."""

    def act(function: str, deed: Callable[[Workspace], object]) -> None:
        answering = getattr(deploying, function)

        def meddled(workspace: Workspace, *arguments: Any) -> Any:
            answer = answering(workspace, *arguments)
            with Workspace(workspace.folder) as other:
                deed(other)
            return answer

        monkeypatch.setattr(deploying, function, meddled)

    return act


def test_what_is_recalled_while_it_is_admitted_gets_no_traffic(second: TrialProject, meanwhile: Meddle) -> None:
    second.mlm("promote", "chat@2")
    meanwhile("admission", lambda other: recall(other, "chat@2", by="ada", reason="poisoned"))

    told = second.mlm("deploy").out

    assert told.startswith("chat@2, its alias or the traffic was changed meanwhile: the next look decides anew")
    assert arms(second) == {"chat@1": 1.0}


def test_traffic_that_somebody_moved_while_a_canary_was_judged_stays_moved(
    second: TrialProject, meanwhile: Meddle
) -> None:
    second.reconcile("--yes")
    second.visit(second.lessons(), times=8)

    def by_hand(other: Workspace) -> None:
        halves = [Arm(other.registry.node(ref).id, 0.5) for ref in ("chat@1", "chat@2")]
        other.registry.deployments.desire("api", halves, by="ada", reason="by hand")

    meanwhile("measure", by_hand)
    found = second.mlm("deploy", "--json").json["action"]

    assert (found["waiting"], arms(second)) == (True, {"chat@1": 0.5, "chat@2": 0.5})


def test_a_promotion_made_while_a_canary_failed_is_kept(worse: TrialProject, meanwhile: Meddle) -> None:
    worse.jsonl("lessons.jsonl", [*worse.lessons(), {"prompt": "Is it large?", "completion": "It is."}])
    worse.run()
    meanwhile("measure", lambda other: promote(other, "chat@3", "production", by="ada", reason="better"))

    assert worse.mlm("deploy").out.startswith("canary of chat@2 rolled back: ")

    assert arms(worse) == {"chat@1": 1.0}
    with worse.registry() as registry:
        assert registry.node(registry.models.history("production")[0].node).ref == "chat@3"


CRASH = "monitor 'ratings' failed: ZeroDivisionError: division by zero"


def test_a_monitor_that_crashes_is_said_and_stops_nothing_else(second: TrialProject) -> None:
    second.change('use = "ratings"', 'use = "crashing-monitor"')
    second.visit(ISLANDS)

    answer = second.mlm("reconcile", "--json")

    assert texts(answer.json, "waiting") == [
        "approval of chat@2: all gates pass (mlm promote chat@2 --to production)", CRASH,
    ]  # fmt: skip
    assert (answer.code, answer.error) == (0, f"Warning: {CRASH}")
    [signal] = second.mlm("status", "--json").json["signals"]
    assert (signal["metric"], signal["value"], signal["verdict"]) == ("complaint_rate", None, "inconclusive")


def test_a_canary_does_not_advance_while_a_monitor_crashes(second: TrialProject) -> None:
    second.reconcile("--yes")
    second.visit(second.lessons(), times=8)
    second.change('use = "ratings"', 'use = "crashing-monitor"')

    assert texts(second.reconcile("--yes"), "waiting") == [f"chat@2 at 5%: {CRASH}"]
    assert arms(second)["chat@2"] == 0.05


def test_a_canary_that_fails_is_rolled_back_though_another_monitor_crashes(worse: TrialProject) -> None:
    worse.change("[monitoring.ratings]", '[monitoring.odd]\nuse = "crashing-monitor"\n[monitoring.ratings]')

    assert kinds(worse.reconcile()) == ["rollback"]
    assert arms(worse) == {"chat@1": 1.0}


def test_a_look_that_crashes_does_not_end_the_watch(deployed: TrialProject, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [None, ZeroDivisionError("a defect"), None]
    reconcile = Controller.reconcile

    def looked(controller: Controller) -> Reconciliation:
        if error := looks.pop(0):
            raise error
        return reconcile(controller)

    def slept(seconds: float) -> None:
        if not looks:
            raise KeyboardInterrupt

    monkeypatch.setattr(Controller, "reconcile", looked)
    monkeypatch.setattr("mlm.cli.reconcile_command.time.sleep", slept)

    answer = deployed.mlm("reconcile", "--watch")

    assert answer.out.count("done: nothing is left to do") == 2
    assert answer.err.startswith("Error: ZeroDivisionError: a defect")


def test_only_one_reconciliation_works_at_a_time(deployed: TrialProject) -> None:
    from mlm.locking import locked

    with locked(deployed.folder / ".mlm" / "reconcile.lock", "busy"):
        assert "another reconciliation is at work" in deployed.mlm("reconcile").error
