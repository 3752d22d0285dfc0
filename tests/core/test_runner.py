"""Runs: what fails leaves nothing, what waits waits, one run at a time."""

from __future__ import annotations

import fcntl
import json

from trial import TrialProject

from mlm_registry import Execution

PROJECT = """
[data.lessons]
use = "pairs"
rows = { "one?" = "1" }

[training.chat]
use = "failing"
data = "lessons"

[training.other]
use = "memory"
data = "lessons"

[export.folded]
use = "folded"
model = "chat"

[evaluation.quality]
use = "exact-match"
model = ["folded", "other"]
data = "lessons"
"""
WHY = "RuntimeError: the loss is not a number  [trainers.py:"


def test_a_failed_step_stops_only_what_needs_it(project: TrialProject) -> None:
    project.write(PROJECT)

    answer = project.mlm("run", "--json")

    assert answer.code == 1
    assert {step["name"]: step["status"] for step in answer.json["steps"]} == {
        "lessons": "ran", "chat": "failed", "other": "ran", "folded": "skipped", "quality:folded": "skipped",
        "quality:other": "ran",
    }  # fmt: skip
    details = {step["name"]: step["detail"] for step in answer.json["steps"]}
    assert details["folded"] == "needs chat"
    assert details["quality:folded"] == "needs folded"


def test_the_error_of_a_failed_step_is_in_the_registry(project: TrialProject) -> None:
    project.write(PROJECT)
    shown = next(step for step in project.mlm("run", "--json").json["steps"] if step["status"] == "failed")

    with project.registry() as registry:
        [execution] = registry.executions(step="chat")

    assert execution.status == "failed"
    assert execution.error is not None
    assert execution.error.startswith(WHY)
    assert shown["error"] == execution.error


def test_a_failed_step_leaves_neither_node_nor_file(project: TrialProject) -> None:
    project.write(PROJECT)
    project.mlm("run")

    assert project.refs() == {"lessons@1", "other@1", "quality:other@1"}
    assert project.left_over() == []


def test_status_names_the_failed_steps_of_the_last_run(project: TrialProject) -> None:
    project.write(PROJECT)
    project.mlm("run")

    [failed] = project.mlm("status", "--json").json["last_run"]["failed"]
    assert failed["step"] == "chat"
    assert project.mlm("status").out.splitlines()[-1] == f"  failed: chat: {failed['error']}"


def test_what_a_dead_process_ran_is_interrupted_for_status_too(project: TrialProject) -> None:
    project.write(PROJECT)
    with project.registry() as registry:
        started = registry.start(Execution("lessons", "data", "r", "p"))
        assert project.mlm("status", "--json").json["last_run"]["steps"] == "1 running"
        with registry.transaction() as connection:
            dead = json.dumps({**started.environment, "process_started": "before"})
            connection.execute("UPDATE executions SET environment = ?", [dead])

    assert project.mlm("status", "--json").json["last_run"]["steps"] == "1 interrupted"


def test_a_mended_step_runs_with_all_that_waited_for_it(project: TrialProject) -> None:
    project.write(PROJECT)
    project.mlm("run")
    project.change('use = "failing"', 'use = "failing"\nmended = true')

    assert project.ran() == {"chat", "folded", "quality:folded"}


def test_a_step_that_waits_for_people_is_no_failure(project: TrialProject) -> None:
    project.write(PROJECT)
    project.change('use = "failing"', 'use = "needs-people"')

    answer = project.mlm("run", "--json")

    assert answer.code == 0
    steps = {step["name"]: (step["status"], step["error"]) for step in answer.json["steps"]}
    assert steps["chat"] == ("waiting", "1 rows need labels")
    assert steps["folded"] == ("skipped", None)
    assert project.mlm("status", "--json").json["last_run"]["steps"] == "3 ran, 1 waiting"


def test_a_second_run_is_refused_while_one_is_at_work(project: TrialProject) -> None:
    project.write(PROJECT)
    (project.folder / ".mlm").mkdir()
    with open(project.folder / ".mlm" / "run.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer = project.mlm("run")

    assert answer.code == 1
    assert answer.error == f"Error: another run is at work on {project.folder / '.mlm'}: wait for it to end"
    assert project.refs() == set()


def test_an_execution_records_what_a_reader_needs_to_repeat_it(project: TrialProject) -> None:
    project.write(f"seed = 3\n{PROJECT}")
    project.run("other")

    with project.registry() as registry:
        [execution] = registry.executions(step="other")

    assert execution.status == "ran"
    assert execution.plugin == "mlm-fakes:trainers/memory"
    assert (execution.distribution, execution.distribution_version) == ("mlm-fakes", "1.2")
    assert execution.seed == 3
    assert execution.seconds > 0
    assert {"python", "platform", "machine"} <= set(execution.environment)


def test_the_plain_output_tells_each_step_and_the_count(project: TrialProject) -> None:
    project.write(PROJECT)
    project.mlm("run")

    lines = project.mlm("run").out.splitlines()

    assert lines[0].split() == ["cached", "data", "lessons", "lessons@1"]
    assert lines[1].split() == ["started", "training", "chat"]
    assert lines[2].split()[:1] == ["FAILED"]
    assert lines[-2].endswith(": 0 ran, 3 cached, 1 failed, 2 skipped")
    assert lines[-1] == "next: mend it and run again; `mlm --debug run chat` shows where it failed"


def test_the_note_of_a_model_is_on_the_line_of_the_step_that_trained_it(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"prompt": f"{n}?", "completion": str(n)} for n in range(5)])
    project.write("""
        [data.lessons]
        use = "jsonl"
        path = "lessons.jsonl"
        [training.chat]
        use = "memory"
        data = "lessons"
        most = 2
        [export.folded]
        use = "folded"
        model = "chat"
    """)

    lines = project.mlm("run").out.splitlines()

    [trained] = [line for line in lines if line.startswith("ran") and " chat " in line]
    [exported] = [line for line in lines if line.startswith("ran") and " folded " in line]
    assert trained.endswith("chat@1  3 rows are not learned")
    assert exported.endswith("folded@1")
