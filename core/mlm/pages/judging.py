"""Sections of what was measured and judged: requirements, and evaluations side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mlm.errors import MlmError
from mlm.pages.charts import Bound, domain_of, interval_bar
from mlm.pages.html import Html, badge, joined, section, table, tag
from mlm.pages.quantities import bare, moment, number, quantity
from mlm.pages.view import View
from mlm.requirements import Requirement
from mlm.standing import StandingScore
from mlm.steering import Steering, steering
from mlm.verdicts import Verdict
from mlm_registry import ModelVersion, Score, SignalRow

MOST_VERSIONS = 2
"""Versions of a deployed model that stand side by side."""


def requirements(view: View) -> Html | None:
    """Show each requirement with the newest verdict of its gate, canary, set-point and trigger."""
    if not view.project.requirements:
        return None
    rows, warning = _steering(view)
    body = [_requirement(view, row) for row in rows]
    heads = ("Requirement", "Bound", "Gate", "Canary", "Set-point", "Trigger")
    note = (
        "One number steers four decisions. A bar shows the value with its 95 % interval; the tinted side is what the"
        " requirement allows. The whole interval must lie there to pass."
    )
    return section(
        "Requirements", table(heads, body), tag("p", warning, class_="small") if warning else None, note=note
    )


def _steering(view: View) -> tuple[list[Steering], str]:
    """Return what steers what; where the project file does not hold together, the bare requirements and why."""
    try:
        return steering(view.workspace), ""
    except MlmError as error:
        return [Steering(requirement, None, None) for requirement in view.project.requirements], str(error)


def _requirement(view: View, row: Steering) -> tuple[object, ...]:
    r = row.requirement
    serving = _serving(view)
    bound = r.min if r.min is not None else r.max
    unit = _unit(view, r.metric)
    sign = "≥" if r.min is not None else "≤"
    text = joined([r.name, tag("div", r.metric, class_="small")])
    no_monitor = tag("span", "no monitor measures it", class_="small")
    gate = _gate(view, row, serving) if row.gate else tag("span", "no evaluation of the deployed model", class_="small")
    living = (
        (_canary(view, serving), _setpoint(view, row), _trigger(view, row)) if row.monitor else (no_monitor, "", "")
    )
    return (text, f"{sign} {quantity(bound, unit)}", gate, *living)


def _unit(view: View, metric: str) -> str:
    units = [s.unit for s in view.registry.scores(metric=metric)]
    units += [s.unit for s in view.registry.signals(metric=metric, limit=1)]
    return units[0] if units else ""


def _serving(view: View) -> ModelVersion | None:
    """Return the version with the greatest share of traffic, else the newest version of a deployed step."""
    for name in view.registry.deployments.names():
        current = view.registry.deployments.current(name)
        if current and current.arms:
            return view.registry.models.version(max(current.arms, key=lambda arm: arm.share).node)
    newest = [v for v in view.versions if v.node.name in view.deployed()]
    return newest[0] if newest else None


def _gate(view: View, row: Steering, version: ModelVersion | None) -> Html:
    standing = _standing(view, version).get((str(row.gate), row.requirement.metric)) if version else None
    if standing is None or version is None:
        return tag("span", f"{row.gate}: not measured yet", class_="small")
    score = standing.score
    verdict = row.requirement.judge(score.value, score.low, score.high)
    where = f"{row.gate} on {version.node.ref}, n = {number(score.n)}"
    return joined([_judged(row.requirement, verdict, score, where), _stale(standing)])


def _standing(view: View, version: ModelVersion) -> dict[tuple[str, str], StandingScore]:
    """Return the scores that stand for a version, by step and metric."""
    return {(found.score.step, found.score.metric): found for found in view.standing.scores(version)}


def _stale(standing: StandingScore) -> Html | None:
    told = "Its data, settings or code changed since: mlm run measures it again, and no gate takes it."
    return tag("div", "not up to date", class_="small", title=told) if standing.current is False else None


def _judged(requirement: Requirement, verdict: Verdict, found: Score | SignalRow, where: str) -> Html:
    bar = interval_bar(
        found.value, found.low, found.high,
        domain=domain_of(found.unit, (found.value, found.high, requirement.min, requirement.max)),
        bound=bound_of(requirement), outcome=verdict.outcome, width=130,
    )  # fmt: skip
    line = tag("div", badge(verdict.outcome), " ", quantity(found.value, found.unit))
    return joined([line, bar, tag("div", where, class_="small")])


def bound_of(requirement: Requirement | None) -> Bound | None:
    """Return a requirement's bound as charts draw it."""
    if requirement is None:
        return None
    value = requirement.min if requirement.min is not None else requirement.max
    return Bound(value, requirement.min is not None) if value is not None else None


def _canary(view: View, version: ModelVersion | None) -> Html:
    found = view.registry.judgements(subject=version.node.digest, kind="canary", latest=True) if version else []
    if not found or version is None:
        return tag("span", "no canary yet", class_="small")
    verdict = found[0]
    return joined(
        [tag("span", badge(verdict.outcome), title=verdict.reason), tag("div", version.node.ref, class_="small")]
    )


def _setpoint(view: View, row: Steering) -> Html:
    signals = [s for s in view.registry.signals(metric=row.requirement.metric, limit=20) if s.value is not None]
    if not signals:
        return tag("span", f"{row.monitor}: not measured yet", class_="small")
    newest = signals[0]
    verdict = row.requirement.judge(newest.value, newest.low, newest.high)
    who = f" on {view.registry.node(newest.node).ref}" if newest.node else ""
    return _judged(row.requirement, verdict, newest, f"{row.monitor}{who}, n = {number(newest.n)}")


def _trigger(view: View, row: Steering) -> Html:
    if row.trigger is None:
        return tag("span", "none", class_="small")
    judged = view.registry.judgements(kind="retirement")
    found = [one for one in judged if one.by == row.trigger and row.requirement.metric in one.evidence]
    fired = tag("div", f"fired {moment(found[0].at)}", class_="small", title=found[0].reason) if found else None
    return joined([row.trigger, fired])


def scores(view: View) -> Html | None:
    """Show the scores that stand: a row a metric, a column a model."""
    columns = _columns(view)
    cells = {v.node.id: _standing(view, v) for v in columns}
    keys = sorted({key for found in cells.values() for key in found}, key=lambda key: _first(cells.values(), key))
    if not keys:
        return None
    rows = [_score_row(view, key, [cells[v.node.id].get(key) for v in columns]) for key in keys]
    heads = ("Evaluation", *(tag("span", v.node.ref, title=v.node.digest) for v in columns))
    note = "The score of each model, with its 95 % interval and sample size. Bars of one row share one scale."
    return section("Evaluation", table(heads, rows), note=note)


def _columns(view: View) -> list[ModelVersion]:
    """Return the newest version of each step, and more of a deployed one, in the order of the lifecycle."""
    taken: dict[str, int] = {}
    found = []
    for version in view.versions:
        name = version.node.name
        most = MOST_VERSIONS if name in view.deployed() else 1
        if taken.get(name, 0) < most and view.registry.scores(model=version.node.digest):
            taken[name] = taken.get(name, 0) + 1
            found.append(version)
    order = {name: place for place, name in enumerate(reversed([v.node.name for v in found]))}
    return sorted(found, key=lambda v: (order[v.node.name], v.node.version))


def _first(cells: Iterable[Mapping[tuple[str, str], StandingScore]], key: tuple[str, str]) -> int:
    return min(found[key].score.report for found in cells if key in found)


def _score_row(view: View, key: tuple[str, str], found: Sequence[StandingScore | None]) -> list[object]:
    step, metric = key
    requirement = view.requirement(metric, step)
    scores = [standing.score for standing in found if standing]
    ends = [e for s in scores for e in (s.value, s.high)]
    ends += [requirement.min, requirement.max] if requirement else []
    unit = scores[0].unit
    domain = domain_of(unit, ends)
    named = unit if bare(1.0, unit) == "1" else ""
    head = joined([metric, tag("div", ", ".join(filter(None, (step, named))), class_="small")])
    return [head, *(_score(score, requirement, domain) for score in found)]


def _score(standing: StandingScore | None, requirement: Requirement | None, domain: tuple[float, float]) -> Html:
    if standing is None:
        return tag("span", "·", class_="small")
    score = standing.score
    outcome = requirement.judge(score.value, score.low, score.high).outcome if requirement else ""
    bar = interval_bar(
        score.value, score.low, score.high, domain=domain, bound=bound_of(requirement), outcome=outcome, width=110
    )
    size = tag("span", f" n {number(score.n)}", class_="small")
    return joined([tag("div", bare(score.value, score.unit), size, class_="whole"), bar, _stale(standing)])
