"""When a version is retired, and when it lives on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm_plugins.triggers.requirements import BrokenRequirements
from mlm_plugins.triggers.superseded import Superseded
from mlm_registry import ModelVersion, Node


def version(number: int, name: str = "chat") -> ModelVersion:
    return ModelVersion(Node(name, "model", f"d{number}", number), "approved")


def signal(outcome: Any) -> mlm.Signal:
    verdict = mlm.Verdict(outcome, "code", "reason") if outcome else None
    return mlm.Signal(mlm.Measure("hallucination_rate", 0.4, 80), "api", verdict=verdict)


@pytest.fixture
def context(tmp_path: Path) -> mlm.Context:
    problem = mlm.Problem(name="t", task="chat", purpose="p")
    return mlm.Context(folder=tmp_path, work=tmp_path, project=tmp_path, problem=problem)


@pytest.mark.parametrize(
    ("share", "successor", "successor_share", "outcome"),
    [
        (0.0, version(2), 1.0, "fail"),
        (0.05, version(2), 0.95, "pass"),
        (0.0, version(2), 0.5, "pass"),
        (0.0, None, 0.0, "pass"),
        (0.0, version(2, "other"), 1.0, "pass"),
        (0.0, version(1), 1.0, "pass"),
    ],
)
def test_a_version_is_superseded_when_a_newer_one_of_its_name_serves_everything(
    context: mlm.Context, share: float, successor: ModelVersion | None, successor_share: float, outcome: str
) -> None:
    living = mlm.Living(version(1), share, successor, successor_share)

    assert Superseded().mlm_assess(version=living, context=context).outcome == outcome


@pytest.mark.parametrize(
    ("judged", "share", "successor_share", "outcome"),
    [
        (["pass", "fail"], 0.0, 1.0, "fail"),
        (["fail"], 0.0, 0.0, "inconclusive"),
        (["fail"], 0.5, 0.5, "inconclusive"),
        (["pass", "inconclusive"], 0.0, 1.0, "pass"),
        ([None], 0.0, 1.0, "pass"),
        ([], 1.0, 0.0, "pass"),
    ],
)
def test_a_broken_requirement_retires_once_a_successor_serves(
    context: mlm.Context, judged: list[Any], share: float, successor_share: float, outcome: str
) -> None:
    successor = version(2) if successor_share else None
    living = mlm.Living(version(1), share, successor, successor_share, tuple(map(signal, judged)))

    assert BrokenRequirements().mlm_assess(version=living, context=context).outcome == outcome


def test_the_only_model_waits_for_a_successor_and_says_so(context: mlm.Context) -> None:
    living = mlm.Living(version(1), 1.0, signals=(signal("fail"),))

    verdict = BrokenRequirements().mlm_assess(version=living, context=context)

    assert verdict.code == "waits-for-successor"
    assert "hallucination_rate broken: waits for a successor" in verdict.reason
    assert verdict.evidence == {"hallucination_rate": 0.4}
