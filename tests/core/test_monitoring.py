"""Windows of exchanges: the newest ones, with their feedback, and no more is read than they hold."""

from __future__ import annotations

from typing import Any

import pytest
from trial import LESSONS, TrialProject

from mlm_registry.records.traffic import EXCHANGES

MOST = 5


@pytest.fixture
def visited(life: TrialProject, monkeypatch: pytest.MonkeyPatch) -> TrialProject:
    """A deployment with more exchanges than a window holds, each with its feedback."""
    life.deploy()
    life.visit(LESSONS[:20])
    monkeypatch.setattr("mlm.monitoring.LARGEST_WINDOW", MOST)
    return life


def test_a_window_holds_the_newest_exchanges_with_their_feedback(visited: TrialProject) -> None:
    with visited.open() as workspace:
        window = workspace.context("monitor").window("api")

    assert [one.prompt for one in window.exchanges] == [row["prompt"] for row in LESSONS[20 - MOST : 20]]
    assert list(window.feedback) == [one.id for one in window.exchanges]


def test_a_window_reads_no_more_than_it_holds(visited: TrialProject, monkeypatch: pytest.MonkeyPatch) -> None:
    read, load = [], EXCHANGES.load

    def counted(row: Any) -> Any:
        read.append(row)
        return load(row)

    monkeypatch.setattr(EXCHANGES, "load", counted)

    with visited.open() as workspace:
        workspace.context("monitor").window("api")

    assert len(read) == 2 * MOST  # Once as an exchange, and once with its feedback.
