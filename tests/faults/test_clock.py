"""A clock that steps back, as clocks do when they are set: order is by number, and nothing is lost or negative."""

from __future__ import annotations

import itertools
import time

import pytest
from invariants import broken
from trial import LESSONS, TrialProject

HOUR = 3600.0


@pytest.fixture
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock go an hour back at every tenth look."""
    real, looks = time.time, itertools.count()
    monkeypatch.setattr(time, "time", lambda: real() - HOUR * (next(looks) // 10))


@pytest.mark.usefixtures("_clock")
def test_a_life_on_a_clock_that_steps_back(life: TrialProject) -> None:
    life.change("[requirements]", '[access]\nrecall = ["tester"]\n\n[requirements]')
    life.deploy()
    life.visit(LESSONS)
    life.jsonl("lessons.jsonl", LESSONS[:55])
    life.run()
    assert life.mlm("promote", "chat").code == 0
    life.reconcile("--yes")
    recall = life.mlm("recall", "chat@2", "--reason", "bad", "--json").json
    assert life.mlm("recall", "--undo", str(recall["id"]), "--reason", "a mistake").code == 0

    assert broken(life.folder / ".mlm") == []
    moves = life.mlm("history", "production", "--json").json
    assert [move["version"] for move in moves] == ["chat@2", "chat@1", "chat@2", "chat@1"]
    served = life.mlm("who-served", "--at", "2100-01-01", "--json").json
    with life.registry() as registry:
        current = registry.deployments.current("api")
        assert current is not None
        assert {one["version"] for one in served} == {registry.node(arm.node).ref for arm in current.arms}
        assert all(execution.seconds >= 0 for execution in registry.executions())
    assert life.mlm("status").code == 0
    assert life.mlm("reconcile", "--yes").code == 0
