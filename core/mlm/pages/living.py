"""Sections of the living system: deployments, signals, model versions, proposals, the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from mlm.auditing import verify
from mlm.pages.charts import COLOURS, Point, line_chart, share_bar
from mlm.pages.html import Html, at, badge, joined, section, table, tag
from mlm.pages.judging import bound_of
from mlm.pages.quantities import bare, moment, number, quantity
from mlm.pages.view import View
from mlm_registry import Amendment, Arm, Deployment, ModelVersion, Proposal, SignalRow

AUDIT_TAIL = 15
TOUCHED = 5


def deployments(view: View) -> Html | None:
    """Show every revision of every deployment with the shares of its arms."""
    names = view.registry.deployments.names()
    if not names:
        return None
    return section("Deployments", *(_deployment(view, name) for name in names))


def _deployment(view: View, name: str) -> Html:
    history = view.registry.deployments.history(name)
    seen = view.registry.deployments.observation(name)
    models = sorted({arm.node for revision in history for arm in revision.arms})
    colours = {node: f"var(--c{i % COLOURS})" for i, node in enumerate(models)}
    rows = [_revision(view, revision, colours) for revision in history]
    told = (
        f"{seen.url} serves revision {seen.revision}, seen {moment(seen.heartbeat)} UTC"
        if seen
        else "no endpoint was seen"
    )
    head = tag("h3", name, " ", tag("span", told, class_="small"))
    return joined([head, table(("Revision", "Since (UTC)", "Shares", "", "By", "Reason"), rows, numeric=(0,))])


def _revision(view: View, revision: Deployment, colours: dict[int, str]) -> tuple[object, ...]:
    parts = [(arm.share, colours[arm.node]) for arm in revision.arms]
    told = ", ".join(f"{view.registry.node(arm.node).ref} {arm.share:.0%}" for arm in revision.arms) or "out of service"
    return revision.revision, at(moment(revision.at)), share_bar(parts, 1.0), told, revision.by, revision.reason


def signals(view: View) -> Html | None:
    """Draw each monitored metric over time, a curve a model version, with its set-point."""
    rows = view.registry.signals()
    by_metric: dict[tuple[str, str], list[SignalRow]] = {}
    for row in reversed(rows):
        by_metric.setdefault((row.deployment, row.metric), []).append(row)
    figures = [_signal(view, *key, found) for key, found in by_metric.items()]
    drawn = [figure for figure in figures if figure]
    if not drawn:
        return None
    note = "Each point is one window of traffic; the dashed line is the set-point that a requirement gives."
    return section("Signals", tag("div", *drawn, class_="grid"), note=note)


def _signal(view: View, deployment: str, metric: str, rows: Sequence[SignalRow]) -> Html | None:
    start = min(row.at for row in rows)
    series: dict[str, list[Point]] = {}
    for row in rows:
        if row.value is not None:
            who = view.registry.node(row.node).ref if row.node else deployment
            series.setdefault(who, []).append((row.at - start, row.value))
    if not series:
        return None
    newest = rows[-1]
    bound = bound_of(view.requirement(metric))
    covered = f", coverage {quantity(newest.coverage, 'share')}" if newest.coverage is not None else ""
    told = f"{quantity(newest.value, newest.unit)}, n {number(newest.n)}{covered}"
    caption = tag("figcaption", f"{metric} ", tag("span", told, class_="small"))
    chart = line_chart(
        series, bound=bound.value if bound else None, shown=lambda v: bare(v, newest.unit).replace(" ", "\u202f"),
        shown_x=lambda x: moment(start + x)[5:], x_name="", height=150,
    )  # fmt: skip
    return tag("figure", caption, chart)


def versions(view: View) -> Html | None:
    """Show every model version with its state, gates, aliases and share of traffic."""
    if not view.versions:
        return None
    aliases = view.registry.models.aliases()
    rows = [_version(view, v, [a.name for a in aliases if a.node == v.node.id]) for v in view.versions]
    heads = ("Version", "Stage", "State", "Gates", "Aliases", "Traffic", "Digest", "Made (UTC)")
    return section("Model versions", table(heads, rows, numeric=(5,)))


def _version(view: View, version: ModelVersion, aliases: list[str]) -> tuple[object, ...]:
    node = version.node
    share = max((part for _, part in view.registry.deployments.serving(node.id)), default=0.0)
    gates = view.registry.judgements(subject=node.digest, kind="gate", latest=True)
    bad = [f"{g.by} {g.outcome}" for g in gates if g.outcome != "pass"]
    told = f"{len(gates) - len(bad)} of {len(gates)} pass" if gates else "—"
    state = joined([badge(version.state), " ", badge("recalled") if version.recalled else None])
    gate_cell = joined([told, tag("div", ", ".join(bad), class_="small") if bad else None])
    traffic = f"{share:.0%}" if share else "—"
    digest = tag("code", node.digest[:12])
    return (
        tag("code", node.ref),
        view.stage(node),
        state,
        gate_cell,
        ", ".join(aliases),
        traffic,
        digest,
        at(moment(node.created)),
    )


def improvements(view: View) -> Html | None:
    """Show proposals with their plan and what became of them, and the amendments that stand."""
    proposals = view.registry.improvements.proposals()
    amendments = view.registry.improvements.amendments(include_revoked=True)
    if not proposals and not amendments:
        return None
    return section("Improvement", *(_proposal(p) for p in proposals), _amendments(amendments))


def _proposal(proposal: Proposal) -> Html:
    head = tag("h3", f"{proposal.id}. {proposal.title} ", badge(proposal.state))
    by = tag("p", f"{proposal.by} for {proposal.deployment}, {moment(proposal.at)} UTC", class_="small")
    plan = tag("ol", *(tag("li", line) for line in proposal.plan))
    return joined([head, by, tag("p", proposal.reason), plan])


def _amendments(amendments: Sequence[Amendment]) -> Html | None:
    if not amendments:
        return None
    rows = [
        (a.id, f"{a.op} {a.value} to {a.target}" if a.op == "add" else f"set {a.target}.{a.key} = {a.value}",
         a.by, at(moment(a.at)), f"revoked {moment(a.revoked)}" if a.revoked else "in force")
        for a in amendments
    ]  # fmt: skip
    return joined([tag("h3", "Amendments"), table(("", "Change", "By", "Since (UTC)", "State"), rows)])


def audit(view: View) -> Html:
    """Show the end of the audit log, and whether its chain holds."""
    check = verify(view.registry)
    events = view.registry.audit.events(limit=AUDIT_TAIL)
    rows = [(e.id, at(moment(e.at)), e.action, e.subject, e.by, tag("code", e.digest[:12])) for e in events]
    told = (
        f"{number(check.rows)} rows; the chain of digests holds, and every row of the registry is as it was recorded."
        if check.ok
        else f"Somebody touched the registry: {'; '.join(check.problems[:TOUCHED])}."
    )
    note = joined([badge("verified" if check.ok else "broken", "pass" if check.ok else "fail"), " ", told])
    heads = ("Row", "At (UTC)", "Action", "Subject", "By", "Digest")
    return section("Audit log", table(heads, rows, numeric=(0,)), note=note)


def shares(arms: Sequence[Arm], view: View) -> str:
    """Write who serves how much, such as `chat@2 95 %, chat@1 5 %`."""
    return ", ".join(f"{view.registry.node(arm.node).ref} {arm.share:.0%}" for arm in arms)
