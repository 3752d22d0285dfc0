"""What refuses a candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import mlm
from mlm_plugins.checks.card import CardComplete
from mlm_plugins.checks.license import LicenseAllowed
from mlm_registry import ModelVersion, Node, Score

WHOLE = mlm.Problem(
    name="t", task="chat", purpose="Answer questions", owner="a@example.org", risk_tier="limited", license="MIT"
)
SCORE = Score("exact_match", 0.9, "m", "d", "exact-match")


def version(name: str, **metadata: Any) -> ModelVersion:
    return ModelVersion(Node(name, "model", "d", 1, metadata=metadata))


def judged(
    plugin: Any, candidate: ModelVersion, *ancestors: ModelVersion, problem: mlm.Problem = WHOLE, **more: Any
) -> mlm.Verdict:
    model = mlm.Model(Path())
    context = mlm.Context(folder=Path(), work=Path(), project=Path(), problem=problem)
    return plugin.mlm_check(mlm.Candidate(candidate, model, "promote", ancestors=ancestors, **more), context)


def test_a_model_made_here_has_the_projects_licence() -> None:
    assert judged(LicenseAllowed(), version("chat", steps=10)).passed


def test_a_descendant_of_an_allowed_licence_passes_whatever_its_case() -> None:
    assert judged(LicenseAllowed(allowed=["Apache-2.0"]), version("chat"), version("base", license="apache-2.0")).passed


@pytest.mark.parametrize(("stated", "why"), [("llama3", "base@1 is llama3"), ("", "base@1 is without a licence")])
def test_one_refused_ancestor_refuses_the_model(stated: str, why: str) -> None:
    verdict = judged(LicenseAllowed(), version("chat"), version("mid"), version("base", license=stated))

    assert (verdict.outcome, verdict.code) == ("fail", "license-refused")
    assert why in verdict.reason
    assert "Apache-2.0" in verdict.reason


def test_a_whole_card_passes() -> None:
    assert judged(CardComplete(), version("chat"), scores=(SCORE,)).passed


@pytest.mark.parametrize("field", ["purpose", "owner", "risk_tier", "license"])
def test_a_hole_in_the_card_refuses_by_name(field: str) -> None:
    verdict = judged(CardComplete(), version("chat"), scores=(SCORE,), problem=evolve(WHOLE, **{field: ""}))

    assert (verdict.outcome, verdict.reason) == ("fail", f"[problem] lacks {field}")


def test_a_model_that_nobody_evaluated_has_no_card() -> None:
    assert "no evaluation was run" in judged(CardComplete(), version("chat")).reason
