"""Executions and their products."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from mlm_registry import Execution, Metric, Node, NotFound, Registry, RegistryError, Score

Make = Callable[..., Node]
CHAT = Execution(step="chat", stage="training", run="run-1", plugin="sft")

DIES_IN_THE_MIDDLE = """
import os, pathlib, signal, sys
from mlm_registry import Execution, Registry
registry = Registry.open(pathlib.Path(sys.argv[1]))
registry.start(Execution(step="chat", stage="training", run="run-1", plugin="sft"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_everything_that_an_execution_was_comes_back(registry: Registry) -> None:
    execution = Execution(
        step="chat",
        stage="training",
        run="run-1",
        plugin="mlm:trainers/sft",
        distribution="mlm",
        distribution_version="1",
        plugin_digest="abc",
        fingerprint="f",
        settings={"epochs": 2, "path": "ü"},
        seed=7,
        environment={"python": "3.11"},
    )

    started = registry.start(execution)
    registry.finish(evolve(started, cost_usd=0.5, cpu_seconds=2.0, seconds=3.0, status="ran"))

    stored = registry.execution(started.id)
    assert evolve(started, cost_usd=0.5, cpu_seconds=2.0, seconds=3.0, status="ran") == stored
    assert {"python", "pid", "process_started"} == set(stored.environment)


def test_versions_count_up_from_one_for_each_name(make: Make) -> None:
    made = [make("chat"), make("facts", "dataset"), make("chat")]

    assert [node.ref for node in made] == ["chat@1", "facts@1", "chat@2"]


def test_equal_bytes_from_two_executions_stay_two_nodes(registry: Registry, make: Make) -> None:
    clean, poisoned = make("clean", "dataset"), make("poisoned", "dataset")

    assert clean.digest == poisoned.digest
    assert [poisoned.id, clean.id] == [node.id for node in registry.nodes(digest=clean.digest)]


def test_every_input_leads_to_every_output_in_the_order_given(registry: Registry, make: Make) -> None:
    a, b = make("a", "dataset"), make("b", "dataset")

    outputs = [Node("chat", "model", a.digest), Node("report", "report", a.digest)]
    made = registry.finish(registry.start(CHAT), outputs=outputs, inputs=[("model", b.id, ""), ("data", a.id, "test")])

    for node in made:
        assert [("model", b, ""), ("data", a, "test")] == registry.inputs(node)


def test_one_node_may_be_two_inputs(registry: Registry, make: Make) -> None:
    base = make("base")

    [made] = registry.finish(
        registry.start(CHAT),
        outputs=[Node("chat", "model", base.digest)],
        inputs=[("model", base.id, ""), ("reference", base.id, "")],
    )

    assert [role for role, _, _ in registry.inputs(made)] == ["model", "reference"]


def test_a_failed_execution_has_no_outputs(registry: Registry) -> None:
    failed = evolve(registry.start(CHAT), status="failed", error="out of memory")

    with pytest.raises(RegistryError, match="'chat' failed, so it has no outputs"):
        registry.finish(failed, outputs=[Node("chat", "model", "0" * 64)])
    assert registry.finish(failed) == []
    assert registry.execution(failed.id).error == "out of memory"


def test_an_end_with_an_unknown_input_stores_nothing(registry: Registry) -> None:
    started = registry.start(CHAT)

    with pytest.raises(RegistryError, match="FOREIGN KEY"):
        registry.finish(started, outputs=[Node("chat", "model", "0" * 64)], inputs=[("data", 99, "")])

    assert registry.nodes() == []
    assert registry.execution(started.id).status == "running"


def test_an_execution_that_was_never_started_can_be_stored_whole(registry: Registry) -> None:
    [node] = registry.finish(CHAT, outputs=[Node("chat", "model", "0" * 64)])

    assert registry.execution(node.execution).status == "ran"


def test_ending_an_unknown_execution_is_an_error(registry: Registry) -> None:
    with pytest.raises(NotFound, match="no execution has id 99"):
        registry.finish(evolve(CHAT, id=99))


def test_a_logged_curve_keeps_the_last_value_of_a_point_and_a_diverged_loss(registry: Registry) -> None:
    started = registry.start(CHAT)

    registry.log([Metric(started.id, "loss", 1, 2.0), Metric(started.id, "loss", 2, 1.0)])
    registry.finish(started, metrics=[Metric(0, "loss", 2, math.nan), Metric(0, "loss", 3, math.inf)])

    curve = registry.metrics(started.id, "loss")
    assert [point.step for point in curve] == [1, 2, 3]
    assert math.isnan(curve[1].value)
    assert [2.0, math.inf] == [curve[0].value, curve[2].value]


def test_scores_name_their_report(registry: Registry) -> None:
    score = Score("exact_match", 0.8, model="m" * 64, data="d" * 64, evaluator="exact-match", step="quality", n=10)

    [report] = registry.finish(registry.start(CHAT), outputs=[Node("quality", "report", "0" * 64)], scores=[score])

    assert [evolve(score, report=report.id)] == registry.scores(model="m" * 64, metric="exact_match")
    assert registry.scores(report=report.id, metric="bleu") == []


def test_a_cached_output_is_that_of_the_newest_execution_whose_bytes_are_here(registry: Registry, make: Make) -> None:
    old = make(fingerprint="f", content=b"old")
    new = make(fingerprint="f", content=b"new")
    assert [new] == registry.cached("f")

    registry.objects.path(new.digest).unlink()

    assert [old] == registry.cached("f")


def test_failed_and_running_executions_are_not_cached(registry: Registry) -> None:
    registry.start(evolve(CHAT, fingerprint="f"))
    registry.finish(evolve(registry.start(evolve(CHAT, fingerprint="f")), status="failed"))

    assert registry.cached("f") == []


def test_many_fingerprints_are_answered_at_once(registry: Registry, make: Make) -> None:
    made = {f"f{i}": [make(f"step{i}", "dataset", fingerprint=f"f{i}")] for i in range(3)}

    assert made == registry.cached_many(["f0", "f1", "f2", "other", *(f"x{i}" for i in range(2000))])


def test_what_a_killed_process_left_running_becomes_interrupted(registry: Registry) -> None:
    killed = subprocess.run([sys.executable, "-c", DIES_IN_THE_MIDDLE, str(registry.folder)], check=False)
    assert killed.returncode == -signal.SIGKILL

    assert registry.fail_running("run-1", "the process died") == 1

    [execution] = registry.executions(status="interrupted")
    assert execution.error == "the process died"


def test_what_a_live_process_runs_is_left_alone(registry: Registry) -> None:
    started = registry.start(CHAT)

    assert registry.fail_running(None, "the process died") == 0
    assert registry.execution(started.id).status == "running"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="start times are read from /proc")
def test_a_process_number_that_was_used_again_is_not_mistaken(registry: Registry) -> None:
    started = registry.start(CHAT)
    with registry.transaction() as connection:
        connection.execute(
            "UPDATE executions SET environment = ?", (f'{{"pid":"{os.getpid()}","process_started":"long ago"}}',)
        )

    assert registry.fail_running(None, "the process died") == 1
    assert registry.execution(started.id).status == "interrupted"
