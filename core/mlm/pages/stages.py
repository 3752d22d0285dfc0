"""The strip of the nine stages: one figure and one line for what happened in each."""

from __future__ import annotations

from attrs import frozen

from mlm.pages.html import Html, tag
from mlm.pages.living import shares
from mlm.pages.quantities import duration, number
from mlm.pages.view import View
from mlm_registry import Execution


@frozen
class Stage:
    """One stage of the life; an empty figure means that nothing happened in it yet."""

    name: str
    figure: str
    told: str


def strip(view: View) -> Html:
    """Draw the nine stages in a row."""
    return tag("ol", *(_item(stage) for stage in stages(view)), class_="stages")


def _item(stage: Stage) -> Html:
    return tag(
        "li",
        tag("div", stage.name, class_="name"),
        tag("div", stage.figure or "—", class_="figure"),
        tag("div", stage.told, class_="small"),
        class_=None if stage.figure else "quiet",
    )


def stages(view: View) -> list[Stage]:
    """Return what happened in each of the nine stages."""
    return [
        _problem(view),
        _data(view),
        _made("Training", view.of_stage("model", "training"), view),
        _evaluation(view),
        _made("Alignment", view.of_stage("alignment"), view),
        _deployment(view),
        _monitoring(view),
        _improvement(view),
        _retirement(view),
    ]


def _problem(view: View) -> Stage:
    problem = view.project.problem
    count = len(view.project.requirements)
    tier = f", {problem.risk_tier} risk" if problem.risk_tier else ""
    return Stage("Problem", number(count), f"requirements steer a {problem.task} model{tier}")


def _data(view: View) -> Stage:
    datasets = [n for n in view.nodes if n.kind == "dataset"]
    rows = sum(sum(dict(n.metadata.get("rows", {})).values()) for n in datasets)
    gone = sum(sum(dict(n.metadata.get("removed", {})).values()) for n in datasets)
    return Stage("Data", number(rows) if rows else "", f"rows in {len(datasets)} datasets; {number(gone)} removed")


def _made(name: str, executions: list[Execution], view: View) -> Stage:
    ran = [e for e in executions if e.status == "ran"]
    seconds = sum(e.seconds for e in ran)
    refs = ", ".join(node.ref for e in ran for node in view.outputs(e))
    return Stage(name, duration(seconds) if ran else "", refs or "no step")


def _evaluation(view: View) -> Stage:
    reports = [n for n in view.nodes if n.kind == "report"]
    count = sum(len(view.registry.scores(report=n.id)) for n in reports)
    return Stage("Evaluation", number(count) if count else "", f"scores in {len(reports)} reports")


def _deployment(view: View) -> Stage:
    names = view.registry.deployments.names()
    current = view.registry.deployments.current(names[0]) if names else None
    if current is None:
        return Stage("Deployment", "", "not deployed")
    return Stage("Deployment", f"rev. {current.revision}", shares(current.arms, view) or "out of service")


def _monitoring(view: View) -> Stage:
    # Opening the exchanges makes their file; a page only reads.
    if not (view.registry.folder / "exchanges.db").exists():
        return Stage("Monitoring", "", "no traffic")
    names = view.registry.deployments.names()
    requests = sum(sum(view.registry.exchanges.node_counts(name).values()) for name in names)
    metrics = {row.metric for row in view.registry.signals()}
    return Stage("Monitoring", number(requests) if requests else "", f"requests; {len(metrics)} metrics watched")


def _improvement(view: View) -> Stage:
    proposals = view.registry.improvements.proposals()
    if not proposals:
        return Stage("Improvement", "", "no proposal")
    return Stage(
        "Improvement", number(len(proposals)), f"proposal{'s' * (len(proposals) > 1)}, newest {proposals[0].state}"
    )


def _retirement(view: View) -> Stage:
    retired = [v.node.ref for v in view.versions if v.state == "retired"]
    return Stage("Retirement", number(len(retired)) if retired else "", ", ".join(retired) or "nothing retired")
