"""What people said of responses becomes rows that lead back to the exchanges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import mlm
from mlm_plugins.sources.feedback import Feedback
from mlm_registry import Exchange
from mlm_registry import Feedback as Said

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")
ASKED = tuple(
    Exchange(f"c{n}", "api", 1, 1, "chat", float(n), {"user": f"visitor {n}"}, f"What is {n}?", f"It is {n}.")
    for n in range(4)
)
SAID = {"c0": Said("c0", 1), "c1": Said("c1", -1, "It is one."), "c2": Said("c2", -1)}
"""The last was not rated."""


@pytest.fixture
def context(tmp_path: Path) -> mlm.Context:
    window = mlm.Window("api", ASKED, SAID)
    return mlm.Context(
        folder=tmp_path / "out", work=tmp_path / "w", project=tmp_path, problem=PROBLEM, window=lambda name: window
    )


@pytest.mark.parametrize(
    ("form", "rows", "removed"),
    [
        ("kto", [("It is 0.", True), ("It is 1.", False), ("It is 2.", False)], {}),
        ("preference", [("It is one.", "It is 1.")], {"exchange:c0": "no-correction", "exchange:c2": "no-correction"}),
        ("prompt-completion", [("It is 0.",), ("It is one.",)], {"exchange:c2": "rated-down"}),
    ],
)
def test_feedback_has_three_forms(
    form: str, rows: list[tuple[Any, ...]], removed: dict[str, str], context: mlm.Context
) -> None:
    data = Feedback(deployment="api", to=form).mlm_read(context=context)

    found = list(data.rows())
    assert [tuple(row.values())[3:-1] for row in found] == rows
    assert {row["source"]: row["reason"] for row in data.removed()} == removed
    assert all(row["source"] == row["row_id"] == f"exchange:c{row['user'][-1]}" for row in found)


def test_the_version_changes_with_what_was_said(context: mlm.Context) -> None:
    source = Feedback(deployment="api")
    later = evolve(context, window=lambda name: mlm.Window("api", ASKED, SAID | {"c3": Said("c3", 1)}))

    assert source.mlm_version(context=context) == source.mlm_version(context=context)
    assert source.mlm_version(context=context) != source.mlm_version(context=later)
