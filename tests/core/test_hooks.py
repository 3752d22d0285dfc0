"""Every hook, asked through a project as a user would: `test_hook_<hook>_...`, at least one for each."""

from __future__ import annotations

import json

from mlm_fakes import memory
from trial import TrialProject

import mlm
from mlm.deploying import Endpoint, desired
from mlm.handles import model_handle

TUNER = 'use = "tuner"\ntable = "chat"\nkey = "most"\nvalue = 60'


def node_file(project: TrialProject, ref: str, name: str) -> str:
    with project.registry() as registry:
        return (registry.objects.path(registry.node(ref).digest) / name).read_text(encoding="utf-8")


def test_hook_mlm_start_writes_the_project_that_init_shows(project: TrialProject) -> None:
    folder = project.folder / "sketch"

    answer = project.mlm("init", "sketch", folder, "--seed", "7")

    assert (answer.code, answer.err) == (0, "")
    assert (folder / "mlm.toml").read_text(encoding="utf-8").startswith("seed = 7\n")


def test_hook_mlm_review_adds_its_findings_to_the_review(project: TrialProject) -> None:
    project.write('[governance]\nreviews = ["nag"]')

    assert [finding["title"] for finding in project.mlm("review", "--json").json] == ["the purpose has 4 words"]


def test_hook_mlm_version_alone_decides_whether_a_source_is_read_again(project: TrialProject) -> None:
    file = project.folder / "journal.txt"
    file.write_text("one\ntwo\n", encoding="utf-8")
    project.write('[data.journal]\nuse = "journal"\nfile = "journal.txt"')
    project.run()

    file.write_text("ONE\nTWO\n", encoding="utf-8")
    assert project.run() == {"journal": "cached"}

    file.write_text("one\ntwo\nthree\n", encoding="utf-8")
    assert project.run() == {"journal": "ran"}


def test_hook_mlm_read_makes_the_dataset_that_is_stored(learning: TrialProject) -> None:
    learning.run("lessons")

    with learning.registry() as registry:
        assert registry.node("lessons@1").metadata["rows"] == {"train": 3}


def test_hook_mlm_map_changes_every_row(learning: TrialProject) -> None:
    learning.change('use = "pairs"', 'use = "pairs"\nsteps = ["shout"]')
    learning.run()

    assert json.loads(node_file(learning, "chat@1", memory.FILE)) == {"ONE?": "1", "TWO?": "2", "THREE?": "3"}


def test_hook_mlm_transform_rewrites_the_whole_dataset(learning: TrialProject) -> None:
    learning.change('use = "pairs"', 'use = "pairs"\nsteps = ["backwards"]')
    learning.run()

    assert list(json.loads(node_file(learning, "chat@1", memory.FILE))) == ["three?", "two?", "one?"]


def test_hook_mlm_import_brings_a_base_model(project: TrialProject) -> None:
    project.write('[model.base]\nuse = "blank"\nlicense = "CC0-1.0"')
    project.run()

    with project.registry() as registry:
        assert registry.node("base").metadata == {"library": "memory", "license": "CC0-1.0"}


def test_hook_mlm_train_goes_on_from_the_model_that_it_is_given(learning: TrialProject) -> None:
    more = '[data.more]\nuse = "pairs"\nrows = { "four?" = "4" }\n[alignment.safe]\nuse = "memory"\ndata = "more"'
    learning.write(f'{(learning.folder / "mlm.toml").read_text().partition("[problem]")[0]}\n{more}\nmodel = "chat"')
    learning.run()

    assert list(json.loads(node_file(learning, "safe", memory.FILE))) == ["one?", "two?", "three?", "four?"]


def test_hook_mlm_export_writes_another_form(learning: TrialProject) -> None:
    learning.change("[problem]", '[export.folded]\nuse = "folded"\nmodel = "chat"\n[problem]')
    learning.run()

    assert node_file(learning, "folded", memory.FILE) != node_file(learning, "chat", memory.FILE)


def test_hook_mlm_evaluate_stores_a_score_bound_to_the_digests_of_model_and_data(life: TrialProject) -> None:
    life.run()

    with life.registry() as registry:
        [score] = registry.scores()
        assert (score.metric, score.value, score.n, score.step) == ("exact_match", 1.0, 30, "quality")
        assert score.model == registry.node("chat").digest
        assert score.data == registry.node("exam").digest
        assert score.backend == "memory 1"
        assert score.report == registry.node("quality").id


def test_hook_mlm_check_sees_scores_and_gates_of_the_candidate(life: TrialProject) -> None:
    life.change("[problem]", '[governance]\nchecks = ["nod"]\n[problem]')
    life.run()

    answer = life.mlm("promote", "chat")

    assert "pass         chat@1: 1 scores, 1 gates" in answer.out


def test_hook_mlm_observe_hears_of_every_step(learning: TrialProject) -> None:
    learning.change("[problem]", '[governance]\npolicies = [{ use = "diary", file = "diary.txt" }]\n[problem]')
    learning.run("lessons")
    learning.run()

    assert (learning.folder / "diary.txt").read_text(encoding="utf-8").splitlines() == [
        "lessons started", "lessons ran", "lessons cached", "chat started", "chat ran",
    ]  # fmt: skip


def test_hook_mlm_load_answers_with_the_weights_of_the_model(life: TrialProject) -> None:
    life.run()

    with life.open() as workspace:
        engine = workspace.engines.get(model_handle(workspace.registry, workspace.registry.node("chat")))
        [answer] = engine.generate([engine.tokenizer.encode("What is the capital of 7?")], mlm.Sampling())
        assert answer.text == "City 7"


def test_hook_mlm_guard_reaches_the_target_as_an_object_beside_the_postprocessors(life: TrialProject) -> None:
    parts = (
        '\nguards = ["hush", { use = "hush", word = "other" }]\npostprocessors = ["polite"]\nmodel = "chat"\nrollout'
    )
    life.change('\nmodel = "chat"\nrollout', parts)
    life.deploy()

    with life.open() as workspace:
        endpoint = Endpoint.of(workspace.project.deployment("api"))
        wanted = desired(workspace, endpoint, workspace.registry.deployments.current("api"), whole=True)

    assert [(guard.name, guard.word) for guard in wanted.guards] == [("hush", "secret"), ("hush", "other")]
    assert [post.name for post in wanted.postprocessors] == ["polite"]


def test_hook_mlm_postprocess_is_asked_for_an_object(life: TrialProject) -> None:
    with life.open() as workspace:
        post = workspace.plugin("postprocessors", "polite", "here").postprocess(workspace.context("api"))
        stream = post.open()

        assert stream.feed("Fine.") + stream.close() == "Fine. Thank you."


def test_hook_mlm_rollout_gives_the_candidate_its_first_share(life: TrialProject) -> None:
    life.change('{ use = "canary", shares = [5, 25, 100], min_samples = 8 }', '"halves"')
    life.deploy()
    life.jsonl("lessons.jsonl", [{"prompt": "new", "completion": "row"}, *life.lessons()])
    life.deploy()

    with life.registry() as registry:
        assert [arm.share for arm in registry.deployments.current("api").arms] == [0.5, 0.5]


def test_hook_mlm_apply_says_what_the_endpoint_serves(life: TrialProject) -> None:
    life.deploy()

    observed = life.mlm("deploy", "--json").json["observed"]

    assert observed == {"revision": 1, "url": "shelf:", "ready": True, "detail": ""}


def test_hook_mlm_serve_gets_admitted_models_only(life: TrialProject) -> None:
    life.deploy()

    assert life.mlm("serve", "api").code == 0
    assert (life.folder / "served.txt").read_text(encoding="utf-8") == "chat@1"

    with life.registry() as registry:
        registry.recalls.add("chat@1", [registry.node("chat@1").id], by="tester", reason="poisoned")
    assert life.mlm("serve", "api").error == "Error: chat@1 is recalled"


def test_hook_mlm_measure_gives_the_signals_that_status_shows(life: TrialProject) -> None:
    life.deploy()
    life.visit(life.lessons()[:10])
    life.mlm("reconcile", "--quiet")

    [signal] = life.mlm("status", "--json").json["signals"]

    assert (signal["metric"], signal["value"], signal["n"], signal["verdict"]) == ("complaint_rate", 0.0, 10, "pass")


def test_hook_mlm_improve_proposes_and_approval_changes_the_step(life: TrialProject) -> None:
    life.change('use = "corrections"\ninto = "lessons"\nmin_corrections = 5', TUNER)
    life.change('use = "memory"', 'use = "memory"\nmost = 40')
    life.deploy()
    life.visit(life.lessons()[30:])

    answer = life.mlm("reconcile", "--yes", "--json").json

    assert [action["kind"] for action in answer["actions"]][:3] == ["propose", "approve", "run"]
    with life.registry() as registry:
        assert registry.execution(registry.node("chat@2").execution).settings["most"] == 60


def test_hook_mlm_assess_retires_where_the_verdict_is_fail(life: TrialProject) -> None:
    life.change('use = "superseded"', 'use = "merciless"')
    life.change('rollout = { use = "canary", shares = [5, 25, 100], min_samples = 8 }', "")
    life.deploy()
    life.jsonl("lessons.jsonl", life.lessons()[:59])
    life.deploy()

    actions = life.mlm("reconcile", "--json").json["actions"]

    assert [action["text"] for action in actions] == ["chat@1 is retired: serves nobody"]


def test_hook_mlm_execute_runs_the_work_elsewhere(learning: TrialProject) -> None:
    learning.change("[problem]", '[governance]\nexecutor = "thread"\n[problem]')

    assert learning.run() == {"lessons": "ran", "chat": "ran"}


def test_hook_mlm_spread_runs_the_shards_elsewhere(learning: TrialProject) -> None:
    learning.change("[problem]", '[governance]\nexecutor = "thread"\n[problem]')
    learning.change('use = "pairs"', 'use = "pairs"\nsteps = ["whereabouts"]')

    learning.run("lessons")

    row = learning.mlm("data", "show", "lessons", "--json").json["first"][0]
    assert row["thread"].startswith("elsewhere")


def test_hook_mlm_command_adds_a_command(project: TrialProject) -> None:
    assert project.mlm("greet", "Ada").out == "Good morning, Ada.\n"
    assert "greet" in project.mlm("--help").out


def test_a_policy_wraps_a_step_hook(learning: TrialProject) -> None:
    learning.change("[problem]", '[governance]\npolicies = ["stamp"]\n[problem]')
    learning.run()

    assert node_file(learning, "chat", "stamp.txt") == "stamped"
