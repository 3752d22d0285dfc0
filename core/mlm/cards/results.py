"""Evaluation results of a model: for the Hub's model-index, and for people."""

from __future__ import annotations

import math
from typing import Any

from mlm.cards.markdown import bullets, section, table
from mlm.cards.tasks import pipeline_tag
from mlm.pages.evaluation import read_report
from mlm.pages.quantities import number, quantity
from mlm.requirements import Requirement
from mlm.standing import StandingScore
from mlm.workspace import Workspace
from mlm_registry import Judgement, Node, Registry, Score


def data_name(registry: Registry, score: Score) -> str:
    """Name what a score was measured on: as its report says, else the newest dataset of those bytes."""
    if score.report:
        report = registry.node(score.report)
        if registry.objects.has(report.digest):
            named = read_report(registry.objects.path(report.digest)).get("data")
            if named:
                return str(named)
    datasets = registry.nodes(kind="dataset", digest=score.data) if score.data else []
    return datasets[0].ref if datasets else ""


def model_index(workspace: Workspace, node: Node, scores: list[Score]) -> list[dict[str, Any]]:
    """Return results in the Hub's format; sample size and interval, which it lacks, are `args` of the metric."""
    tag = pipeline_tag(workspace.project.problem.task)
    by_data: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        # YAML can say .nan, the Hub's number fields cannot.
        if math.isfinite(score.value):
            by_data.setdefault((data_name(workspace.registry, score), score.data), []).append(score)
    results = [
        {"task": {"type": tag}, "dataset": _dataset(name, digest), "metrics": [_metric(s) for s in found]}
        for (name, digest), found in by_data.items()
    ]
    return [{"name": node.ref, "results": results}] if results else []


def _dataset(name: str, digest: str) -> dict[str, str]:
    ref, _, split = name.partition("/")
    if "," in name:
        ref, split = name, ""
    shown = name or "no dataset"
    return {"type": ref.partition("@")[0] or "none", "name": shown, "split": split, "revision": digest}


def _metric(score: Score) -> dict[str, Any]:
    args = {"n": score.n, "low": score.low, "high": score.high, "unit": score.unit, "step": score.step}
    return {"type": score.metric, "value": score.value, "name": f"{score.metric} ({score.step})", "args": args}


def evaluation(workspace: Workspace, scores: list[Score]) -> str | None:
    """Write the section with every score, its interval and its sample size."""
    rows = [
        (
            score.metric, quantity(score.value, score.unit), _between(score), number(score.n), score.step,
            data_name(workspace.registry, score), score.backend or score.evaluator,
        )
        for score in scores
    ]  # fmt: skip
    heads = ("Metric", "Value", "95 % interval", "n", "Step", "Data", "Backend")
    return section("Evaluation", table(heads, rows))


def _between(score: Score) -> str:
    if score.low is None or score.high is None:
        return "—"
    return f"{quantity(score.low, score.unit)} to {quantity(score.high, score.unit)}"


def gates(judgements: list[Judgement]) -> str | None:
    """Write the section with the newest verdict of each gate, check, canary and trigger."""
    rows = [(j.kind, j.by, j.outcome, j.reason) for j in sorted(judgements, key=lambda j: (j.kind, j.by))]
    return section("Gates and checks", table(("Kind", "By", "Outcome", "Reason"), rows))


def limitations(workspace: Workspace, node: Node, standing: list[StandingScore]) -> str | None:
    """Write the section with what is known to be wrong, uncertain or not measured."""
    scores = [one.score for one in standing]
    stale = sorted({one.score.step for one in standing if one.current is False})
    lines = [f"{step}: its data, settings or code changed since it measured this" for step in stale]
    lines += [line for r in workspace.project.requirements if (line := _shortfall(r, scores))]
    lines += _living(workspace, node)
    judged = workspace.registry.judgements(subject=node.digest, latest=True)
    lines += [f"{j.kind} {j.by}: {j.reason}" for j in judged if j.outcome != "pass" and j.kind in ("check", "canary")]
    told = "No requirement is broken or undecided by these measurements." if not lines else bullets(lines)
    rest = "Behaviour that no metric above measures is unknown; a score holds for the data it was measured on."
    return section("Limitations", told, rest)


def _shortfall(requirement: Requirement, scores: list[Score]) -> str:
    """Say how the scores fall short of a requirement; nothing where they meet it."""
    found = [s for s in scores if s.metric == requirement.metric and requirement.by in (None, s.step)]
    if not found:
        return f"{requirement.name}: {requirement.metric} of this version was not evaluated"
    verdicts = [requirement.judge(s.value, s.low, s.high) for s in found]
    worse = [v for v in verdicts if v.outcome != "pass"]
    how = {"fail": "broken", "inconclusive": "undecided, the bound lies inside the interval", "pass": ""}
    return "; ".join(f"{v.reason}: {how[v.outcome]}" for v in worse)


def _living(workspace: Workspace, node: Node) -> list[str]:
    """Say which requirements the newest signals of live traffic do not meet."""
    newest = {row.metric: row for row in reversed(workspace.registry.signals(node=node.id))}
    lines = []
    for requirement in workspace.project.requirements:
        row = newest.get(requirement.metric)
        verdict = requirement.judge(row.value, row.low, row.high) if row else None
        if verdict and verdict.outcome != "pass":
            lines.append(f"on live traffic: {verdict.reason} ({verdict.outcome})")
    return lines
