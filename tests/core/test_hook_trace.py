"""`mlm --trace-hooks`: which hook of which plugin was called, with what, and what came of it."""

from __future__ import annotations

import re

import pytest
from trial import TrialProject


def test_each_call_of_a_hook_is_shown(life: TrialProject) -> None:
    said = life.mlm("--trace-hooks", "run").err

    lines = [line for line in said.splitlines() if " mlm_" in line]
    assert all(re.match(r" *\d+\.\d{3} s  [\w-]+:\w+/[\w-]+ \S+  mlm_\w+\(", line) for line in lines), said
    trained = next(line for line in lines if "mlm_train(" in line)
    assert "mlm-fakes:trainers/memory 1.2  mlm_train(data=Dataset(lessons@1), model=None) -> Model" in trained


def test_what_a_hook_raises_is_shown_and_goes_on(life: TrialProject) -> None:
    life.change('use = "memory"', 'use = "failing"')

    answer = life.mlm("--trace-hooks", "run")

    assert answer.code == 1
    assert re.search(r"trainers/failing 1.2  mlm_train\(.*\) raised ", answer.err)


def test_the_trace_ends_with_its_command(life: TrialProject) -> None:
    life.mlm("--trace-hooks", "run")

    assert life.mlm("run").err == ""


def test_the_hooks_of_an_isolated_step_are_shown_too(life: TrialProject, capfd: pytest.CaptureFixture[str]) -> None:
    life.change('use = "memory"', 'use = "memory"\nisolate = true')

    life.mlm("--trace-hooks", "run")

    assert "mlm_train(" in capfd.readouterr().err
