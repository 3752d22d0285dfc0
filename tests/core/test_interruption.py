"""A run that is interrupted or killed in the middle of a step, and the run after it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from mlm_fakes import memory
from trial import TrialProject

PROJECT = """
[data.lessons]
use = "pairs"
rows = { "one?" = "1" }

[training.slow]
use = "patient"
data = "lessons"
go = "go.txt"
"""
LISTENING = "import signal; signal.signal(2, signal.default_int_handler); from mlm.cli.main import main"
"""A shell lets what it starts in the background ignore SIGINT, and so would all that these tests start from there."""
DEADLINE_SECONDS = 60.0
"""Generous: the machine may be busy, and nothing waits this long where all is well."""


def until(is_true: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


@contextmanager
def stopped_in_training(project: TrialProject, environment: dict[str, str], number: int) -> Iterator[subprocess.Popen]:
    """Start `mlm run`, and send it a signal once its training has written a checkpoint."""
    project.write(PROJECT)
    command = [sys.executable, "-c", f"{LISTENING}; main()", "-C", str(project.folder), "run"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            until(lambda: _has_checkpoint(project) or run.poll() is not None)
            run.send_signal(number)
            yield run
        finally:
            run.kill()


def _has_checkpoint(project: TrialProject) -> bool:
    try:
        found = (project.folder / ".mlm" / "work").rglob("checkpoint.txt")
        return any(file.read_text(encoding="utf-8") == "step 1" for file in found)
    except FileNotFoundError:  # A folder of the data step went while it was looked through.
        return False


def resumed_from(project: TrialProject) -> str:
    """Let the training end, run, and say what checkpoint it found."""
    (project.folder / "go.txt").touch()
    assert project.run() == {"lessons": "cached", "slow": "ran"}
    with project.registry() as registry:
        return memory.read(registry.objects.path(registry.node("slow").digest))["resumed from"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_the_next_run_goes_on_where_the_last_one_stopped(
    project: TrialProject, environment: dict[str, str], number: int
) -> None:
    with stopped_in_training(project, environment, number) as run:
        run.wait(DEADLINE_SECONDS)

    assert project.refs() == {"lessons@1"}
    assert resumed_from(project) == "step 1"
    with project.registry() as registry:
        assert [execution.status for execution in registry.executions(step="slow")] == ["ran", "interrupted"]
    assert project.left_over() == []


def test_an_interruption_says_that_what_was_finished_is_kept(
    project: TrialProject, environment: dict[str, str]
) -> None:
    with stopped_in_training(project, environment, signal.SIGINT) as run:
        out, err = run.communicate(timeout=DEADLINE_SECONDS)

    assert run.returncode == 130
    assert err.strip() == "interrupted: what was finished is kept, run the command again to go on"
    assert "lessons@1" in out


def test_what_a_dead_process_left_running_is_marked_with_the_reason(
    project: TrialProject, environment: dict[str, str]
) -> None:
    with stopped_in_training(project, environment, signal.SIGKILL) as run:
        run.wait(DEADLINE_SECONDS)
        with project.registry() as registry:
            assert [execution.status for execution in registry.executions(step="slow")] == ["running"]

    resumed_from(project)

    with project.registry() as registry:
        assert registry.executions(step="slow")[-1].error == "the process ended before the step did"
