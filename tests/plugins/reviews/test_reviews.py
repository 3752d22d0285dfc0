"""What reviews find in a problem statement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm_plugins.reviews.catalogue import RISKS, THREATS
from mlm_plugins.reviews.completeness import Completeness
from mlm_plugins.reviews.investment import ReturnOnInvestment
from mlm_plugins.reviews.risks import Risks

BARE = {"name": "atlas", "task": "chat", "purpose": "Answer short questions about a country."}
WHOLE = {
    **BARE,
    "owner": "a@b",
    "risk_tier": "limited",
    "abuse": ("weapons",),
    "license": "MIT",
    "constraints": ("CPU",),
}
REQUIREMENTS = [
    "exact_match",
    "hallucination_rate",
    "latency_p95_seconds",
    "memory_bytes",
    "refusal_rate",
    "over_refusal_rate",
]


def review(plugin: Any, folder: Path, metrics: list[str] | None = None, **problem: Any) -> dict[str, mlm.Finding]:
    if metrics is not None:
        text = "".join(f'[requirements.r{n}]\nmetric = "{metric}"\nmax = 1\n' for n, metric in enumerate(metrics))
        (folder / "mlm.toml").write_text(text)
    stated = mlm.Problem(**problem)
    context = mlm.Context(folder=folder, work=folder, project=folder, problem=stated)
    return {finding.code: finding for finding in plugin.mlm_review(problem=stated, context=context)}


def test_a_whole_statement_has_no_gap(tmp_path: Path) -> None:
    assert review(Completeness(), tmp_path, REQUIREMENTS, **WHOLE) == {}


def test_a_bare_statement_is_told_its_gaps(tmp_path: Path) -> None:
    found = review(Completeness(), tmp_path, ["exact_match"], **BARE)

    assert set(found) == {
        "no-owner", "no-license", "no-risk-tier", "no-abuse-vectors", "no-constraints",
        "no-truth-requirement", "no-speed-requirement", "no-cost-requirement",
    }  # fmt: skip
    assert all(finding.advice for finding in found.values())


def test_a_base_model_that_cannot_chat_is_a_gap_where_the_task_is_chat(tmp_path: Path) -> None:
    for name in ("plain", "given", "made"):
        (tmp_path / name).mkdir()
    (tmp_path / "made" / "chat_template.jinja").write_text("{{ messages }}")
    tables = '[model.a]\nuse = "folder"\npath = "plain"\n[model.b]\nuse = "folder"\npath = "made"\n'
    tables += '[model.c]\nuse = "folder"\npath = "given"\nchat_template = "t.jinja"\n[model.d]\nuse = "hub"\n'
    (tmp_path / "mlm.toml").write_text(tables)

    found = review(Completeness(), tmp_path, **WHOLE)["no-chat-template"]

    assert found.title == "the task is chat, and the model 'a' has no chat template"
    assert "[model.a]" in found.advice
    assert "no-chat-template" not in review(Completeness(), tmp_path, **{**WHOLE, "task": "completion"})


def test_an_unknown_tier_is_an_error_that_names_the_tiers(tmp_path: Path) -> None:
    found = review(Completeness(), tmp_path, REQUIREMENTS, **{**WHOLE, "risk_tier": "low"})

    assert {finding.severity for finding in found.values()} == {"error"}
    assert "minimal, limited, high" in found["unknown-risk-tier"].title


def test_abuse_without_a_safety_requirement_is_a_gap(tmp_path: Path) -> None:
    assert "no-safety-requirement" in review(Completeness(), tmp_path, REQUIREMENTS[:4], **WHOLE)


def test_refusing_everything_is_not_a_way_out(tmp_path: Path) -> None:
    assert set(review(Completeness(), tmp_path, REQUIREMENTS[:-1], **WHOLE)) == {"no-over-refusal-requirement"}


def test_the_catalogue_has_each_of_the_twelve_categories_once_and_only_known_threats() -> None:
    assert [risk.section for risk in RISKS] == list(range(1, 13))
    assert {threat for risk in RISKS for threat in risk.threats} <= set(THREATS)
    assert len(THREATS) == 10


def test_every_piece_of_advice_names_something_of_mlm() -> None:
    import tomllib

    root = Path(__file__).parents[3]
    points = tomllib.loads((root / "pyproject.toml").read_text())["project"]["entry-points"]
    known = {name for group in points.values() for name in group} | {"training_flops", "over_refusal_rate"}

    assert [risk.name for risk in RISKS if not any(name in risk.advice for name in known)] == []


def test_abuse_task_and_tier_lead_to_named_risks(tmp_path: Path) -> None:
    found = review(Risks(), tmp_path, **{**BARE, "abuse": ("weapons", "malware"), "risk_tier": "limited"})

    assert set(found) == {f"nist600-1:2.{n}" for n in (1, 2, 3, 4, 5, 7, 9, 12)}
    assert found["nist600-1:2.1"].title == "CBRN Information or Capabilities (abuse: weapons)"
    assert found["nist600-1:2.7"].title == "Human-AI Configuration (task: chat)"
    assert "LLM01:2025 Prompt Injection" in found["nist600-1:2.9"].category
    assert all(finding.severity == "risk" and finding.source for finding in found.values())


def test_what_concerns_every_model_is_found_in_the_barest_statement(tmp_path: Path) -> None:
    found = review(Risks(), tmp_path, name="t", task="other", purpose="p")

    assert set(found) == {"nist600-1:2.2", "nist600-1:2.4", "nist600-1:2.12"}


def test_an_abuse_that_no_category_knows_is_a_gap(tmp_path: Path) -> None:
    found = review(Risks(), tmp_path, **{**BARE, "abuse": ("gerrymandering", "weapons of war")})

    assert found["unplaced-abuse"].title == "'gerrymandering' is in no category by its words"


@pytest.mark.parametrize(("requests", "code"), [(100_000, "return-positive"), (1_000, "return-negative")])
def test_the_return_is_value_less_the_price_of_the_cores(tmp_path: Path, requests: float, code: str) -> None:
    found = review(ReturnOnInvestment(), tmp_path, **BARE, value_per_request_usd=0.002, requests_per_month=requests)

    # 2 cores x 730.5 hours x 0.04 USD = 58.44 USD
    assert f"{requests * 0.002 - 58.44:+.2f} USD" in found[code].title
    assert found[code].advice == "it pays from 29,220 requests a month"


def test_what_is_missing_for_the_return_is_named(tmp_path: Path) -> None:
    found = review(ReturnOnInvestment(), tmp_path, **BARE, value_per_request_usd=0.002)

    assert found["return-unknown"].advice == "set requests_per_month in [problem]"


def test_a_request_without_value_never_pays(tmp_path: Path) -> None:
    found = review(ReturnOnInvestment(), tmp_path, **BARE, value_per_request_usd=0.0, requests_per_month=10.0)

    assert "no number of requests" in found["return-negative"].advice
