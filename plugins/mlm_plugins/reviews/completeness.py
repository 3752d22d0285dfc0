"""What the problem statement leaves open."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define

import mlm
from mlm_plugins.detectors.templates import has_chat_template

TIERS = ("minimal", "limited", "high")
QUALITY = {"exact_match", "bleu", "rouge_l", "perplexity", "robustness"}
KINDS = {
    "quality": (QUALITY, "exact_match, bleu, rouge_l, robustness or perplexity"),
    "truth": ({"hallucination_rate"}, "hallucination_rate"),
    "speed": ({"latency_p50_seconds", "latency_p95_seconds", "tokens_per_second"}, "latency_p95_seconds"),
    "cost": ({"cost_per_1k_tokens_usd", "memory_bytes"}, "cost_per_1k_tokens_usd"),
}
SAFETY = ({"refusal_rate", "toxicity_rate"}, "refusal_rate or toxicity_rate")
EU = "Regulation (EU) 2024/1689 (AI Act)"
CARDS = "Mitchell et al. 2019, Model Cards for Model Reporting"


@define(kw_only=True)
class Completeness:
    """Names what the problem statement and its requirements leave open."""

    @mlm.hookimpl
    def mlm_review(self, problem: mlm.Problem, context: mlm.Context) -> list[mlm.Finding]:
        file = context.project / "mlm.toml"
        tables = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        chats = _templates(context, tables.get("model", {})) if problem.task == "chat" else ()
        return [*_named(problem), *_governed(problem), *chats, *_required(problem, _metrics(tables))]


def _gap(code: str, title: str, advice: str, source: str = "") -> mlm.Finding:
    return mlm.Finding(code, title, "gap", advice=advice, source=source)


def _named(problem: mlm.Problem) -> Iterator[mlm.Finding]:
    if len(problem.purpose.split()) < 3:
        yield _gap("no-purpose", "the purpose is not said", "one sentence: what it is for, and for whom", CARDS)
    if not problem.owner:
        yield _gap("no-owner", "nobody owns the model", "set owner in [problem]: who answers for it", CARDS)
    if not problem.license:
        yield _gap("no-license", "the model has no licence", "set license in [problem] to an SPDX id", CARDS)


def _governed(problem: mlm.Problem) -> Iterator[mlm.Finding]:
    if not problem.risk_tier:
        advice = f"set risk_tier in [problem]: {', '.join(TIERS)}"
        yield _gap("no-risk-tier", "the risk tier is not decided", advice, EU)
    elif problem.risk_tier not in TIERS:
        title = f"the risk tier '{problem.risk_tier}' is not known (known: {', '.join(TIERS)})"
        yield mlm.Finding("unknown-risk-tier", title, "error", advice="set risk_tier in [problem]", source=EU)
    if not problem.abuse:
        advice = 'set abuse in [problem], such as ["weapons", "malware"]: red teams and guards start from it'
        yield _gap("no-abuse-vectors", "no way to abuse the model is named", advice, "NIST AI 600-1, MAP 5.1")
    if not problem.constraints:
        advice = "set constraints in [problem]: hardware, budget, residency of data, law"
        yield mlm.Finding("no-constraints", "no constraint is named", "note", advice=advice)


def _required(problem: mlm.Problem, metrics: set[str]) -> Iterator[mlm.Finding]:
    kinds = {**KINDS, "safety": SAFETY} if problem.abuse else KINDS
    for kind, (known, suggestion) in kinds.items():
        if not known & metrics:
            advice = f"add a requirement on {suggestion}: it becomes gate, canary condition, set-point and trigger"
            yield _gap(f"no-{kind}-requirement", f"no requirement on {kind}", advice)
    if "refusal_rate" in metrics and "over_refusal_rate" not in metrics:
        advice = "add a requirement on over_refusal_rate: a model that refuses everything meets refusal_rate"
        yield _gap("no-over-refusal-requirement", "refusing too much is not limited", advice, "Roettger et al. 2024")


def _templates(context: mlm.Context, models: Mapping[str, Any]) -> Iterator[mlm.Finding]:
    """Name the base models of folders that could not chat: what is trained from them, or exported, could not either."""
    for name, table in models.items():
        folder = context.project / str(table.get("path", ""))
        if table.get("use") == "folder" and not table.get("chat_template") and not has_chat_template(folder):
            advice = f'set chat_template = "<file>" in [model.{name}]: no gateway serves a model that takes no messages'
            yield _gap("no-chat-template", f"the task is chat, and the model '{name}' has no chat template", advice)


def _metrics(tables: Mapping[str, Any]) -> set[str]:
    required = tables.get("requirements", {})
    return {str(table.get("metric", "")) for table in required.values() if isinstance(table, dict)}
