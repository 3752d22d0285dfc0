"""A clock that steps back, as clocks do when they are set: order is by number, and nothing is lost or negative."""

from __future__ import annotations

import itertools
import time
from datetime import datetime

import pytest
from invariants import broken
from trial import LESSONS, TrialProject

from mlm_registry import Arm

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


def test_where_the_clock_went_back_nobody_is_sure_who_served(
    life: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, shift = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + shift[0])
    life.run()
    life.mlm("promote", "chat")
    moments = []
    for shift[0] in (-48 * HOUR, -24 * HOUR, -36 * HOUR, 0):
        with life.registry() as registry:
            registry.deployments.desire("api", [Arm(registry.node("chat").id, 1.0)], by="ana", reason="again")
        moments.append(time.time())

    def served(at: float) -> list[tuple[int, bool]]:
        told = life.mlm("who-served", "--at", datetime.fromtimestamp(at).isoformat(), "--json")
        assert ("the clock went back" in told.err) == (len(told.json) > 1)
        return [(one["revision"], one["certain"]) for one in told.json]

    assert served(moments[0] - HOUR) == []
    for moment in moments[:3]:
        assert served(moment + HOUR) == [(1, False), (2, False), (3, False)]
    assert served(moments[3]) == [(4, True)]
    later = life.mlm("who-served", "--at", "2100-01-01", "--json")
    assert (later.error, later.json[0]["revision"]) == (
        "Warning: 2100-01-01 is to come: this is what should be served now", 4,
    )  # fmt: skip
    verified = life.mlm("audit", "verify")
    assert verified.code == 0
    assert verified.error.startswith("Warning: the clock went back before row 4, 6 of the audit log")
