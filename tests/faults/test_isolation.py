"""A step in a process of its own: a segfault, an exit or too much memory is a failed step, and no dead run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from making import distribution
from trial import TrialProject

TRAINER = """
import json, os, signal, sys, threading, time
from attrs import define
import mlm

@define(kw_only=True)
class Trainer:
    '''Does what it is told.'''

    do: str = mlm.setting("train", help="what")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        context.progress(1, 2, "half")
        context.log(1, loss=0.5)
        if self.do == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.do == "sleep":
            (context.project / "asleep").write_text(str(os.getpid()))
            try:
                time.sleep(120)
            except KeyboardInterrupt:
                (context.project / "saved").write_text("yes")
                raise
        if self.do == "orphan":
            if os.fork() == 0:
                time.sleep(120)
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.do == "exit":
            os._exit(7)
        if self.do == "hoard":
            hoard = [bytearray(50_000_000) for _ in range(40)]
        if self.do == "refuse":
            raise mlm.DataError("row 7 has no prompt")
        if self.do == "wait":
            raise mlm.Waiting("for a person")
        if self.do == "crash":
            raise KeyError("vocabulary")
        if self.do == "thread":
            threading.Thread(target=time.sleep, args=(120,)).start()
        print("a plugin that prints to the standard output")
        (context.folder / "memory.json").write_text(json.dumps({"pid": os.getpid()}))
        return mlm.Model(context.folder, "memory", metadata={"made": "alone"})
"""


@pytest.fixture
def isolated(sound: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialProject]:
    """A sound project whose training step is isolated, with one more step that does not need it."""
    site = distribution(tmp_path / "site", "acme-alone", {"trainers/told": "Trainer"}, TRAINER)
    monkeypatch.syspath_prepend(str(site))
    sound.change('use = "memory"', 'use = "told"\ndo = "train"\nisolate = true')
    sound.change("[problem]", '[data.more]\nuse = "jsonl"\npath = "lessons.jsonl"\n\n[problem]')
    yield sound
    sys.modules.pop("acme_alone", None)


def test_an_isolated_step_makes_what_it_would_make_here(isolated: TrialProject) -> None:
    assert isolated.run("chat") == {"lessons": "ran", "chat": "ran"}

    node = isolated.mlm("show", "chat", "--json").json["node"]
    assert node["metadata"] == {"library": "memory", "made": "alone"}
    with isolated.registry() as registry:
        execution = registry.execution(registry.node("chat").execution)
        assert [point.value for point in registry.metrics(execution.id, "loss")] == [0.5]
        assert execution.cpu_seconds > 0.05


def test_data_and_evaluations_may_be_isolated_too(sound: TrialProject) -> None:
    sound.run()
    with sound.registry() as registry:
        before = registry.scores(report=registry.node("quality").id)
    sound.change('use = "exact-match"', 'use = "exact-match"\nisolate = true')
    sound.change('path = "lessons.jsonl"', 'path = "lessons.jsonl"\nisolate = true\nsteps = ["exact"]')

    assert sound.ran() == {"lessons", "chat", "quality"}

    with sound.registry() as registry:
        after = registry.scores(report=registry.node("quality@2").id)
    assert [(s.metric, s.value, s.n) for s in before] == [(s.metric, s.value, s.n) for s in after] != []


def test_the_policies_of_the_run_wrap_an_isolated_step(isolated: TrialProject) -> None:
    isolated.change("[problem]", "[problem]\ncost_per_cpu_hour_usd = 1.0")
    text = (isolated.folder / "mlm.toml").read_text()
    policies = '\n[governance]\npolicies = [{ use = "cost", budget_usd = 1e-9 }]\n'
    (isolated.folder / "mlm.toml").write_text(text + policies)

    answer = isolated.mlm("run", "--json", "chat")

    (chat,) = [step for step in answer.json["steps"] if step["name"] == "chat"]
    assert (chat["status"], "chat may not start: this run has cost" in chat["error"]) == ("failed", True)

    isolated.change("budget_usd = 1e-9", "budget_usd = 100.0")
    isolated.change('use = "exact-match"', 'use = "exact-match"\nisolate = true')
    assert isolated.run("chat", "quality") == {"lessons": "cached", "chat": "ran", "quality": "ran"}


def test_isolation_changes_no_fingerprint(isolated: TrialProject) -> None:
    isolated.run("chat")
    isolated.change("isolate = true", "isolate = { memory_mb = 3000 }")

    assert isolated.ran("chat") == set()


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        ("segfault", "the process of the step was ended by SIGSEGV"),
        ("exit", "the process of the step was ended with code 7"),
        ("refuse", "row 7 has no prompt"),
        ("crash", "KeyError: 'vocabulary'"),
    ],
)
def test_what_ends_the_process_fails_the_step_alone(isolated: TrialProject, do: str, reason: str) -> None:
    isolated.change('do = "train"', f'do = "{do}"')

    answer = isolated.mlm("run", "--json")

    steps = {step["name"]: step for step in answer.json["steps"]}
    assert (answer.code, steps["chat"]["status"], steps["more"]["status"]) == (1, "failed", "ran")
    assert reason in steps["chat"]["error"]
    assert isolated.left_over() == []


def test_debug_shows_the_traceback_of_the_plugin_in_its_process(
    isolated: TrialProject, capfd: pytest.CaptureFixture[str]
) -> None:
    isolated.change('do = "train"', 'do = "crash"')
    assert "acme_alone.py" not in isolated.mlm("run", "chat").err

    shown = isolated.mlm("--debug", "run", "chat").err
    assert 'acme_alone.py", line 38, in mlm_train' in shown
    assert shown.count("KeyError: 'vocabulary'\n") == 1

    isolated.change('do = "crash"', 'do = "segfault"')
    isolated.mlm("--debug", "run", "chat")
    assert re.search(r'acme_alone\.py", line \d+ in mlm_train', capfd.readouterr().err)


def test_a_project_that_changes_while_the_step_runs_is_not_stored_under_the_old_key(
    isolated: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlm import isolating

    begin = isolating.subprocess.Popen

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        file = isolated.folder / "lessons.jsonl"
        file.write_text(file.read_text() + '{"prompt": "new?", "completion": "new"}\n')
        isolated.change('do = "train"', 'do = "crash"')
        return begin(*arguments, **options)

    isolated.run("lessons")
    with monkeypatch.context() as patch:
        patch.setattr(isolating.subprocess, "Popen", meanwhile)
        answer = isolated.mlm("run", "--json", "chat")

    (chat,) = [step for step in answer.json["steps"] if step["name"] == "chat"]
    assert (chat["status"], "changed while the run was at work: run again" in chat["error"]) == ("failed", True)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_step_does_not_outlive_its_run(
    isolated: TrialProject, how: signal.Signals, environment: dict[str, str]
) -> None:
    isolated.change('do = "train"', 'do = "sleep"')
    path = f"{isolated.folder.parent / 'site'}:{environment['PYTHONPATH']}"
    command = [sys.executable, "-m", "mlm", "-C", str(isolated.folder), "run", "chat"]
    run = subprocess.Popen(command, env={**environment, "PYTHONPATH": path}, stderr=subprocess.DEVNULL)
    mark = isolated.folder / "asleep"
    _until(mark.exists)
    child = int(mark.read_text())

    run.send_signal(how)
    run.wait()

    _until(lambda: not Path(f"/proc/{child}").exists())


def test_an_interrupted_step_saves_what_it_has(isolated: TrialProject, environment: dict[str, str]) -> None:
    isolated.change('do = "train"', 'do = "sleep"')
    path = f"{isolated.folder.parent / 'site'}:{environment['PYTHONPATH']}"
    command = [sys.executable, "-m", "mlm", "-C", str(isolated.folder), "run", "chat"]
    # Whoever runs the tests in the background has SIGINT ignored, and what they start would have it so too.
    run = subprocess.Popen(
        command,
        env={**environment, "PYTHONPATH": path},
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    _until((isolated.folder / "asleep").exists)

    run.send_signal(signal.SIGINT)

    assert run.wait(timeout=60) == 130
    assert (isolated.folder / "saved").exists()


def test_a_worker_that_outlives_the_step_does_not_keep_the_run_waiting(isolated: TrialProject) -> None:
    isolated.change('do = "train"', 'do = "orphan"')
    started = time.monotonic()

    answer = isolated.mlm("run", "--json", "chat")

    (chat,) = [step for step in answer.json["steps"] if step["name"] == "chat"]
    assert (chat["status"], "SIGSEGV" in chat["error"]) == ("failed", True)
    assert time.monotonic() - started < 40


def test_a_thread_that_outlives_the_step_does_not_keep_the_run_waiting(isolated: TrialProject) -> None:
    isolated.change('do = "train"', 'do = "thread"')
    started = time.monotonic()

    assert isolated.run("chat")["chat"] == "ran"

    assert time.monotonic() - started < 40


def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def test_memory_is_bounded(isolated: TrialProject) -> None:
    isolated.change('do = "train"', 'do = "hoard"')
    isolated.change("isolate = true", "isolate = { memory_mb = 800 }")

    answer = isolated.mlm("run", "--json")

    (chat,) = [step for step in answer.json["steps"] if step["name"] == "chat"]
    assert (chat["status"], "it needs more than memory_mb = 800" in chat["error"]) == ("failed", True)


def test_waiting_is_waiting_in_a_process_of_its_own_too(isolated: TrialProject) -> None:
    isolated.change('do = "train"', 'do = "wait"')

    assert isolated.run("chat")["chat"] == "waiting"


@pytest.mark.parametrize("value", ['"yes"', "{ memory = 5 }", "{ memory_mb = 0 }", "1"])
def test_a_wrong_word_for_it_is_one_line(isolated: TrialProject, value: str) -> None:
    isolated.change("isolate = true", f"isolate = {value}")

    refused = isolated.mlm("plan")

    assert refused.code == 1
    assert "expected true, false or { memory_mb = 4000 }" in refused.error
    assert "[mlm.toml, training.chat.isolate]" in refused.error


def test_a_replay_of_an_isolated_step_is_isolated_too(isolated: TrialProject) -> None:
    isolated.run("chat")

    (replayed,) = isolated.mlm("replay", "chat", "--json").json["replays"]

    # The trainer writes the number of its process into the model: it was another one, and not this.
    assert replayed["outcome"] != "bitwise"
    with isolated.registry() as registry:
        model = registry.objects.path(registry.node("chat").digest)
    assert json.loads((model / "memory.json").read_text())["pid"] != os.getpid()
