"""What a bad dataset touched, taken out of use and brought back: exact sets over a planted graph of 12 nodes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from attrs import evolve, frozen
from invariants import broken
from trial import LESSONS, TrialProject

from mlm.impact import impact
from mlm.recalling import recall, undo
from mlm_registry import Arm, Exchange, Execution, Node, PluginUse, Registry, Score


@frozen
class Planted:
    """Twelve nodes of known lineage, in the registry of a project.

    poisoned ─┬─> mix ──> base ──> chat ──> int8          int8 serves 25 %, twin 75 %
    clean ────┤            judge ──> grades:chat <── chat
              └─(clean)──> twin (bytes equal to chat's) ──> grades:twin <── exam
    """

    project: TrialProject
    ids: dict[str, int]

    def refs(self, *names: str) -> set[str]:
        return {f"{name}@1" for name in names}


GRAPH: list[tuple[str, str, dict[str, str]]] = [
    ("poisoned", "dataset", {}),
    ("clean", "dataset", {}),
    ("exam", "dataset", {}),
    ("mix", "dataset", {"poisoned": "left", "clean": "right"}),
    ("base", "model", {"mix": "data"}),
    ("chat", "model", {"base": "model"}),
    ("int8", "model", {"chat": "model"}),
    ("twin", "model", {"clean": "data"}),
    ("judge", "model", {"clean": "data"}),
    ("grades:chat", "report", {"chat": "model", "exam": "data", "judge": "judge"}),
    ("grades:twin", "report", {"twin": "model", "exam": "data"}),
    ("other", "dataset", {}),
]
RESTS_ON_POISONED = ("poisoned", "mix", "base", "chat", "int8", "grades:chat")


@pytest.fixture
def planted(life: TrialProject) -> Planted:
    ids: dict[str, int] = {}
    life.change("[requirements]", '[access]\nrecall = ["tester"]\n\n[requirements]')
    with life.registry() as registry:
        for name, kind, sources in GRAPH:
            ids[name] = _made(registry, life, ids, name, kind, sources)
        for name in ("chat", "int8", "twin"):
            registry.models.set_state(ids[name], "approved", by="tester", reason="planted")
        registry.models.move_alias("production", ids["twin"], by="tester", reason="first")
        registry.models.move_alias("production", ids["int8"], by="tester", reason="second")
        registry.models.move_alias("spare", ids["chat"], by="tester", reason="only")
        registry.deployments.desire("api", [Arm(ids["twin"], 1.0)], by="tester", reason="first")
        arms = [Arm(ids["twin"], 0.75), Arm(ids["int8"], 0.25)]
        registry.deployments.desire("api", arms, by="tester", reason="canary")
        registry.exchanges.record([_exchange(i, ids["int8"] if i < 3 else ids["twin"]) for i in range(10)])
    return Planted(life, ids)


def _made(
    registry: Registry, project: TrialProject, ids: dict[str, int], name: str, kind: Any, sources: dict[str, str]
) -> int:
    folder = project.folder / "bytes" / name
    folder.mkdir(parents=True)
    # Equal bytes stay two nodes: a recall of one must not touch the other.
    (folder / "weights").write_text("the same" if name in ("chat", "twin") else name)
    digest = registry.objects.put(folder)
    started = registry.start(Execution(name, "training", "planted", f"mlm:trainers/{name}", "mlm", "0.1.0"))
    (node,) = registry.finish(
        started,
        outputs=[Node(name, kind, digest)],
        inputs=[(role, ids[source], "") for source, role in sources.items()],
        uses=[PluginUse("mlm:transforms/shaker", "mlm", "0.1.0")] if name == "mix" else [],
        scores=[Score("exact_match", 0.9, "m", "d", "e", report=0)] if kind == "report" else [],
    )
    return node.id


def _exchange(number: int, node: int) -> Exchange:
    return Exchange(f"chatcmpl-{number}", "api", 2, node, "chat", time.time(), {}, "hello", "hi")


def test_impact_names_exactly_what_rests_on_a_node(planted: Planted) -> None:
    found = planted.project.mlm("impact", "poisoned", "--json").json

    assert found["nodes"] == ["poisoned@1"]
    assert set(found["datasets"]) == planted.refs("poisoned", "mix")
    assert {model["ref"] for model in found["models"]} == planted.refs("base", "chat", "int8")
    assert {score["report"] for score in found["scores"]} == planted.refs("grades:chat")
    assert [(d["deployment"], d["version"], d["share"]) for d in found["deployments"]] == [("api", "int8@1", 0.25)]
    assert found["responses"] == 3


def test_impact_of_a_judge_is_the_scores_that_it_gave(planted: Planted) -> None:
    found = planted.project.mlm("impact", "judge", "--json").json

    assert {model["ref"] for model in found["models"]} == planted.refs("judge")
    assert [(score["model"], score["report"]) for score in found["scores"]] == [("chat@1", "grades:chat@1")]
    assert found["deployments"] == []


@pytest.mark.parametrize("name", ["shaker", "mlm:transforms/shaker", "shaker==0.1.0"])
def test_impact_of_a_plugin_follows_what_it_made_or_helped_to_make(planted: Planted, name: str) -> None:
    found = planted.project.mlm("impact", f"plugin:{name}", "--json").json

    assert found["nodes"] == ["mix@1"]
    assert {model["ref"] for model in found["models"]} == planted.refs("base", "chat", "int8")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("plugin:shaker==9", "Error: nothing was made by plugin 'shaker==9'; expected a name as `mlm show` gives it"),
        ("row:none", "Error: no stored dataset holds row 'none'; expected an id as `mlm show` and `mlm cite` give it"),
        ("poisonde", "Error: no node is named 'poisonde'; did you mean 'poisoned'?"),
    ],
)
def test_a_subject_that_is_not_there_is_named(planted: Planted, name: str, told: str) -> None:
    for command in (["impact"], ["recall", "--reason", "bad"]):
        answer = planted.project.mlm(*command, name)
        assert (answer.code, answer.error) == (1, told)


def refused(planted: Planted) -> set[str]:
    """Return the models that promotion refuses as recalled."""
    found = set()
    for name, kind, _ in GRAPH:
        if kind == "model":
            answer = planted.project.mlm("promote", name, "--dry-run", "--json").json
            if answer["verdicts"][0]["code"] == "recalled":
                found.add(answer["version"])
    return found


def test_a_recall_refuses_exactly_what_rests_on_it_and_an_undo_brings_all_back(planted: Planted) -> None:
    before = state(planted)

    done = planted.project.mlm("recall", "poisoned", "--reason", "planted lies", "--json").json

    assert refused(planted) == planted.refs("base", "chat", "int8")
    assert state(planted) == ({"production": "twin@1", "spare": "chat@1"}, {"twin@1": 1.0})
    assert {(m["kind"], m["name"], *m["before"], *m["after"]) for m in done["moves"]} == {
        ("alias", "production", "int8@1 100%", "twin@1 100%"),
        ("alias", "spare", "chat@1 100%"),
        ("deployment", "api", "twin@1 75%", "int8@1 25%", "twin@1 100%"),
    }
    assert [r["subject"] for r in planted.project.mlm("recall", "--list", "--json").json] == ["poisoned"]
    assert broken(planted.project.folder / ".mlm") == []

    undone = planted.project.mlm("recall", "--undo", str(done["id"]), "--reason", "a mistake", "--json").json

    assert undone["kept"] == []
    assert refused(planted) == set()
    assert state(planted) == before
    assert planted.project.mlm("recall", "--list", "--json").json == []
    assert broken(planted.project.folder / ".mlm") == []


def state(planted: Planted) -> tuple[dict[str, str], dict[str, float]]:
    """Return where aliases point, and what is served."""
    with planted.project.registry() as registry:
        aliases = {alias.name: registry.node(alias.node).ref for alias in registry.models.aliases()}
        current = registry.deployments.current("api")
        assert current
        return aliases, {registry.node(arm.node).ref: arm.share for arm in current.arms}


def test_a_sibling_with_equal_bytes_is_not_touched(planted: Planted) -> None:
    planted.project.mlm("recall", "chat", "--reason", "bad weights")

    assert refused(planted) == planted.refs("chat", "int8")


def test_where_no_clean_version_stood_nothing_is_served(planted: Planted) -> None:
    planted.project.mlm("recall", "clean", "--reason", "all of it")

    assert state(planted)[1] == {}
    assert state(planted)[0] == {"production": "int8@1", "spare": "chat@1"}
    assert broken(planted.project.folder / ".mlm") == []


def taught_more(life: TrialProject, number: int) -> None:
    """Make and promote the next version of chat."""
    life.jsonl("lessons.jsonl", [*LESSONS, *({"prompt": f"new {i}?", "completion": "new"} for i in range(number))])
    life.run()
    assert life.mlm("promote", "chat").code == 0


def served(life: TrialProject) -> dict[str, float]:
    with life.registry() as registry:
        current = registry.deployments.current("api")
        return {registry.node(arm.node).ref: arm.share for arm in current.arms} if current else {}


@pytest.fixture
def canary(life: TrialProject) -> TrialProject:
    """chat@1 serves 95 %, and its candidate chat@2 the rest."""
    life.deploy()
    taught_more(life, 1)
    life.mlm("deploy")
    assert served(life) == {"chat@1": 0.95, "chat@2": 0.05}
    return life


def test_a_candidate_that_never_served_alone_gets_no_traffic_from_a_recall(canary: TrialProject) -> None:
    told = canary.mlm("recall", "chat@1", "--reason", "bad").out
    waiting = canary.reconcile("--yes")["waiting"]

    assert "deployment api moves from chat@1 95%, chat@2 5% to nothing: no clean version served alone" in told
    assert served(canary) == {}
    assert [(one["subject"], one["text"]) for one in waiting] == [
        ("api", "nothing serves since recall 1 of chat@1: bad; chat@2 has not served alone yet "
         "(mlm promote chat@2 --to production gives it all traffic)"),
    ]  # fmt: skip
    assert canary.mlm("deploy").out.startswith("nothing serves since recall 1 of chat@1")


def test_a_person_may_give_it_all_traffic_after_a_recall(canary: TrialProject) -> None:
    canary.mlm("recall", "chat@1", "--reason", "bad")

    canary.mlm("promote", "chat@2", "--reason", "looked at it")
    canary.mlm("deploy")

    assert served(canary) == {"chat@2": 1.0}


def test_a_recall_drains_a_canary_to_the_last_clean_version_that_served_alone(canary: TrialProject) -> None:
    with canary.registry() as registry:
        registry.deployments.desire("api", [Arm(registry.node("chat@2").id, 1.0)], by="tester", reason="all")
    taught_more(canary, 2)
    canary.mlm("deploy")
    assert served(canary) == {"chat@2": 0.95, "chat@3": 0.05}

    canary.mlm("recall", "chat@2", "--reason", "bad")
    assert served(canary) == {"chat@1": 1.0}

    canary.mlm("deploy")
    assert served(canary) == {"chat@1": 0.95, "chat@3": 0.05}


def test_a_recalled_version_is_not_retired_as_superseded_so_that_an_undo_brings_it_back(canary: TrialProject) -> None:
    canary.mlm("recall", "chat@1", "--reason", "bad")
    canary.mlm("promote", "chat@2")
    assert [action["kind"] for action in canary.reconcile()["actions"]] == ["deploy"]

    canary.mlm("recall", "--undo", "1", "--reason", "a mistake")

    assert canary.mlm("admit", "chat@1").out == "chat@1 may be served\n"
    assert [action["kind"] for action in canary.reconcile()["actions"]] == ["retire"]


def test_what_was_moved_since_stays_when_a_recall_is_undone(planted: Planted) -> None:
    done = planted.project.mlm("recall", "poisoned", "--reason", "lies", "--json").json
    with planted.project.registry() as registry:
        registry.deployments.desire("api", [Arm(planted.ids["twin"], 1.0)], by="ann", reason="by hand")

    undone = planted.project.mlm("recall", "--undo", str(done["id"]), "--reason", "mistake", "--json").json

    assert undone["kept"] == ["deployment api"]
    assert broken(planted.project.folder / ".mlm") == []
    assert state(planted) == ({"production": "int8@1", "spare": "chat@1"}, {"twin@1": 1.0})


def test_what_another_recall_still_bars_does_not_come_back(planted: Planted) -> None:
    first = planted.project.mlm("recall", "poisoned", "--reason", "lies", "--json").json
    planted.project.mlm("recall", "base", "--reason", "bad weights too")

    undone = planted.project.mlm("recall", "--undo", str(first["id"]), "--reason", "mistake", "--json").json

    assert set(undone["kept"]) == {"deployment api", "alias production"}
    assert broken(planted.project.folder / ".mlm") == []
    assert refused(planted) == planted.refs("base", "chat", "int8")


def test_a_dry_run_moves_nothing(planted: Planted) -> None:
    before = state(planted)

    told = planted.project.mlm("recall", "poisoned", "--dry-run")

    assert told.code == 0
    assert "production would move from int8@1 100% to twin@1 100%" in told.out
    assert (state(planted), refused(planted)) == (before, set())


def test_a_recall_is_refused_to_others_and_once_it_is_in_force(planted: Planted) -> None:
    stranger = planted.project.mlm("recall", "poisoned", "--reason", "x", "--by", "eve")
    planted.project.mlm("recall", "poisoned", "--reason", "x")
    again = planted.project.mlm("recall", "poisoned", "--reason", "x")

    assert (stranger.code, stranger.error) == (
        1, "Error: 'eve' may not recall (allowed: tester)  [mlm.toml, access.recall]",
    )  # fmt: skip
    assert (again.code, again.error) == (1, "Error: poisoned is recalled already (mlm recall --list)")


@pytest.mark.parametrize("options", [[], ["poisoned"], ["poisoned", "--list"], ["--undo", "1"]])
def test_a_recall_says_what_it_expects(planted: Planted, options: list[str]) -> None:
    assert planted.project.mlm("recall", *options).code == 2


def test_every_touched_node_is_reached(planted: Planted) -> None:
    with planted.project.registry() as registry:
        reached = set(registry.graph.reach([planted.ids["poisoned"]]))

    assert reached == {planted.ids[name] for name in RESTS_ON_POISONED}


def test_a_row_reaches_only_by_the_split_that_holds_it(project: TrialProject) -> None:
    project.jsonl("all.jsonl", [{**row, "split": "train" if i % 2 else "test"} for i, row in enumerate(LESSONS)])
    project.write(
        """
        [data.all]
        use = "jsonl"
        path = "all.jsonl"
        [training.chat]
        use = "memory"
        data = "all/train"
        [evaluation.quality]
        use = "exact-match"
        model = "chat"
        data = "all/test"
        """
    )
    project.run()

    taught = project.mlm("impact", "source:all.jsonl:2", "--json").json
    examined = project.mlm("impact", "source:all.jsonl:1", "--json").json

    assert [model["ref"] for model in taught["models"]] == ["chat@1"]
    assert examined["models"] == []
    assert {score["report"] for score in examined["scores"]} == {"quality@1"}


def test_recalled_exam_data_voids_the_gates_until_it_is_undone(life: TrialProject) -> None:
    life.deploy()
    assert life.mlm("admit", "production", "--json").json["verdict"]["code"] == "admitted"

    done = life.mlm("recall", "exam", "--reason", "leaked", "--json").json
    answer = life.mlm("admit", "production", "--json")
    assert (answer.code, answer.json["verdict"]["code"]) == (1, "gates_not_passed")
    assert life.mlm("promote", "chat").code == 1

    life.mlm("recall", "--undo", str(done["id"]), "--reason", "it had not")
    assert life.mlm("admit", "production", "--json").json["verdict"]["code"] == "admitted"
    assert life.mlm("promote", "chat").code == 0


@pytest.mark.parametrize("recalled", ["chat@1", "chat@2", "lessons@1", "exam"])
def test_whatever_is_recalled_in_a_canary_the_loop_serves_nothing_that_rests_on_it(
    life: TrialProject, recalled: str
) -> None:
    life.deploy()
    life.jsonl("lessons.jsonl", [*LESSONS, {"prompt": "What is new?", "completion": "This."}])
    life.deploy()
    store = life.folder / ".mlm"
    with life.registry() as registry:
        current = registry.deployments.current("api")
        assert current
        assert [registry.node(arm.node).ref for arm in current.arms] == ["chat@1", "chat@2"]

    for step in (["recall", recalled, "--reason", "bad"], ["recall", "--undo", "1", "--reason", "good after all"]):
        assert life.mlm(*step).code == 0
        assert broken(store) == []
        life.reconcile("--yes")
        assert broken(store) == []


def mended(life: TrialProject, name: str) -> None:
    """Let a step read its file in another way, which gives equal bytes."""
    life.change(f'path = "{name}.jsonl"', f'path = "{name}.jsonl"\non_error = "set-aside"')


def test_clean_data_with_the_bytes_of_recalled_data_makes_a_clean_model(life: TrialProject) -> None:
    life.deploy()
    life.mlm("recall", "lessons", "--reason", "by a bad version of the plugin")
    assert life.ran() == set()
    mended(life, "lessons")
    assert {step["name"]: step["status"] for step in life.mlm("plan", "--json").json["steps"]}["lessons"] == "run"

    assert life.ran() == {"lessons", "chat", "quality"}

    with life.registry() as registry:
        for name in ("lessons", "chat"):
            first, second = registry.node(f"{name}@1"), registry.node(f"{name}@2")
            assert first.digest == second.digest
    assert {node["ref"] for node in life.mlm("trace", "chat", "--json").json["nodes"]} == {"lessons@2", "chat@2"}
    assert life.mlm("promote", "chat@2").code == life.mlm("admit", "chat@2").code == 0
    assert life.mlm("admit", "chat@1", "--json").json["verdict"]["code"] == "model_recalled"
    assert life.ran() == set()
    assert broken(life.folder / ".mlm") == []


def test_a_clean_exam_with_the_bytes_of_a_recalled_one_examines_again(life: TrialProject) -> None:
    life.deploy()
    life.mlm("recall", "exam", "--reason", "leaked")
    mended(life, "exam")

    assert life.ran() == {"exam", "quality"}

    assert life.mlm("promote", "chat").code == life.mlm("admit", "chat").code == 0
    assert life.ran() == set()


@pytest.mark.parametrize("name", ["lessons", "chat"])
def test_what_is_recalled_itself_is_not_made_again_by_the_step_that_made_it(life: TrialProject, name: str) -> None:
    life.deploy()
    life.mlm("recall", name, "--reason", "bad")

    assert life.ran() == set()

    assert life.mlm("admit", "chat", "--json").json["verdict"]["code"] == "model_recalled"


def test_each_refusal_of_admission_has_its_code(life: TrialProject) -> None:
    life.deploy()
    life.mlm("recall", "lessons", "--reason", "poisoned")
    assert life.mlm("admit", "chat", "--json").json["verdict"]["code"] == "model_recalled"
    life.mlm("recall", "--undo", "1", "--reason", "clean after all")
    assert life.mlm("admit", "chat").out == "chat@1 may be served\n"


def test_a_recalled_version_is_called_so_by_status(life: TrialProject) -> None:
    life.deploy()

    life.mlm("recall", "lessons", "--reason", "poisoned")

    (version,) = life.mlm("status", "--json").json["versions"]
    assert (version["ref"], version["recalled"], version["share"]) == ("chat@1", True, 0.0)


def test_a_recall_is_seen_where_what_it_names_is_used(life: TrialProject) -> None:
    life.deploy()
    life.mlm("recall", "lessons", "--reason", "poisoned")

    assert "approved, recalled" in life.mlm("status").out
    told = "lessons@1 is recalled: what is made from it may be made, and is refused (mlm recall --list)\n"
    for command in ("plan", "run"):
        assert life.mlm(command).out.count(told) == 1
        assert life.mlm(command, "--json").json["recalled"] == ["lessons@1"]

    life.mlm("recall", "--undo", "1", "--reason", "clean after all")

    assert "recalled" not in life.mlm("status").out + life.mlm("plan").out + life.mlm("run").out


def test_a_recall_says_what_becomes_of_each_alias_and_deployment(life: TrialProject) -> None:
    life.deploy()

    done = life.mlm("recall", "chat", "--reason", "bad weights").out
    undone = life.mlm("recall", "--undo", "1", "--reason", "good after all").out

    assert done == (
        "chat: chat@1\n"
        "alias      production stays at chat@1 100%, which is refused: no clean version ever had it\n"
        "deployment api moves from chat@1 100% to nothing: no clean version served alone\n"
        "models 1, datasets 0: all that rests on it (mlm impact chat)\n"
        "recall 1 is in force (mlm recall --undo 1 --reason ...)\n"
    )
    assert undone == "deployment api moves from nothing to chat@1 100%\nrecall 1 is undone\n"


def test_history_and_who_served_tell_what_was_in_force(planted: Planted) -> None:
    moves = planted.project.mlm("history", "production", "--json").json
    assert [(m["version"], m["by"], m["reason"]) for m in moves] == [
        ("int8@1", "tester", "second"), ("twin@1", "tester", "first"),
    ]  # fmt: skip
    served = planted.project.mlm("who-served", "--at", "2100-01-01", "--json").json
    assert [(s["version"], s["share"], s["responses"], s["until"]) for s in served] == [
        ("twin@1", 0.75, 7, None), ("int8@1", 0.25, 3, None),
    ]  # fmt: skip
    assert planted.project.mlm("who-served", "--at", "2000-01-01", "--json").json == []
    assert planted.project.mlm("who-served", "--at", "noon").code == 1
    assert (
        planted.project.mlm("history", "nobody").error
        == "Error: no alias is named 'nobody' (aliases: production, spare)"
    )


def test_a_request_that_failed_is_counted_as_no_response(life: TrialProject) -> None:
    life.deploy()
    life.visit(life.lessons()[:4])
    with life.registry() as registry:
        given = registry.exchanges.find()
        registry.exchanges.record([evolve(one, id=f"{one.id}-again", status=500) for one in given])

    assert life.mlm("impact", "lessons", "--json").json["responses"] == 4
    assert [one["responses"] for one in life.mlm("who-served", "--at", "2100-01-01", "--json").json] == [4]


def test_the_functions_take_records_and_give_records(planted: Planted) -> None:
    with planted.project.open() as workspace:
        done = recall(workspace, "poisoned", by="tester", reason="lies")
        assert impact(workspace.registry, "poisoned").deployments == ()
        assert undo(workspace, done.id, by="tester", reason="none").id == done.id
