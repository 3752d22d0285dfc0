"""Which known risks concern this problem."""

from __future__ import annotations

import re

from attrs import define

import mlm
from mlm_plugins.reviews.catalogue import NIST, OWASP, RISKS, THREATS, Risk


@define(kw_only=True)
class Risks:
    """Maps task, abuse and risk tier to NIST AI 600-1 categories and OWASP LLM threats."""

    @mlm.hookimpl
    def mlm_review(self, problem: mlm.Problem, context: mlm.Context) -> list[mlm.Finding]:
        reasons = [(risk, concerns(risk, problem)) for risk in RISKS]
        findings = [_finding(risk, why) for risk, why in reasons if why]
        return findings + [_unknown(abuse) for abuse in problem.abuse if not _placed(abuse)]


def concerns(risk: Risk, problem: mlm.Problem) -> str:
    """Say why a risk concerns a problem; nothing where it does not."""
    named = [abuse for abuse in problem.abuse if _words(abuse) & risk.abuse]
    if named:
        return f"abuse: {', '.join(named)}"
    if problem.task in risk.tasks:
        return f"task: {problem.task}"
    if problem.risk_tier in risk.tiers:
        return f"risk tier: {problem.risk_tier}"
    return "every generative model" if risk.always else ""


def _finding(risk: Risk, why: str) -> mlm.Finding:
    threats = [f"{threat} {THREATS[threat]}" for threat in risk.threats]
    category = "; ".join([f"{risk.category} {risk.name}", *threats])
    source = f"{NIST}; {OWASP}" if threats else NIST
    return mlm.Finding(risk.category, f"{risk.name} ({why})", "risk", category, risk.advice, source)


def _unknown(abuse: str) -> mlm.Finding:
    title = f"'{abuse}' is in no category by its words"
    advice = "name a nearer word, or cover it by hand: rows with the label dangerous, and the moderation guard's words"
    return mlm.Finding("unplaced-abuse", title, "gap", advice=advice, source=NIST)


def _placed(abuse: str) -> bool:
    return any(_words(abuse) & risk.abuse for risk in RISKS)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z][a-z-]*", text.lower()))
