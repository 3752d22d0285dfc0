"""Sections of what was made: steps, data funnels, loss curves, the lineage graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlm.pages.charts import Point, line_chart, share_bar
from mlm.pages.html import Html, badge, joined, section, table, tag
from mlm.pages.lineage import Box, lineage_graph
from mlm.pages.quantities import duration, moment, number, size
from mlm.pages.view import View
from mlm_registry import Execution, Metric, Node


def steps(view: View) -> Html:
    """Show each step: what ran, for how long, and what came of it."""
    longest = max((e.seconds for e in view.executions), default=0.0)
    rows = [_step(view, execution, longest) for execution in view.executions]
    title = f"Steps of run {view.run}" if view.run else "Steps"
    total = sum(e.seconds for e in view.executions)
    cost = sum(e.cost_usd for e in view.executions)
    which = "" if view.run else "The newest execution of each step. "
    note = f"{which}{len(rows)} executions, {duration(total)}, {cost:.4f} USD of processor time."
    heads = ("Step", "Stage", "Plugin", "Status", "Output", "Time", "")
    return section(title, table(heads, rows, numeric=(5,)), note=note)


def _step(view: View, execution: Execution, longest: float) -> tuple[object, ...]:
    made = joined(
        tag("div", tag("code", n.ref), " ", tag("span", n.digest[:10], class_="small")) for n in view.outputs(execution)
    )
    error = tag("div", execution.error, class_="small") if execution.error else None
    plugin = execution.plugin.rpartition("/")[2]
    told = tag("span", plugin, title=f"{execution.plugin} {execution.distribution_version}")
    bar = share_bar([(execution.seconds, "var(--accent)")], longest, width=120)
    status = joined([badge(execution.status), error])
    return execution.step, execution.stage, told, status, made, duration(execution.seconds), bar


def funnels(view: View) -> Html | None:
    """Show for each data step how many rows each transform took in, changed and removed, and why."""
    found = [n for n in view.nodes if n.kind == "dataset" and len(n.metadata.get("chain", ())) > 1]
    if not found:
        return None
    note = "Rows in = rows out + rows removed, at every transform; each removed row is kept with its reason."
    told = [node for node in found if node.metadata.get("removed")]
    whole = [f"{node.ref} ({_splits(node)})" for node in found if node not in told]
    rest = tag("p", f"Nothing was removed from {', '.join(whole)}.", class_="note") if whole else None
    return section("Data", tag("div", *(_funnel(node) for node in told), class_="grid wide"), rest, note=note)


def _funnel(node: Node) -> Html:
    chain = [dict(link) for link in node.metadata["chain"]]
    whole = max(int(link["rows_in"]) for link in chain)
    head = tag("h3", node.ref, " ", tag("span", _splits(node), class_="small"))
    active = [link for i, link in enumerate(chain) if i == 0 or _does_something(link)]
    idle = [str(link["step"]) for link in chain if link not in active]
    lines = [cell for link in active for cell in _link(link, whole)]
    rest = tag("p", f"Nothing removed or changed: {', '.join(idle)}.", class_="small") if idle else None
    return tag("div", head, tag("div", *lines, class_="chain"), rest)


def _splits(node: Node) -> str:
    return ", ".join(f"{name} {number(rows)}" for name, rows in dict(node.metadata.get("rows", {})).items())


def _does_something(link: Mapping[str, Any]) -> bool:
    return bool(link.get("removed") or link.get("changed"))


def _link(link: Mapping[str, Any], whole: int) -> list[Html]:
    removed = {str(k): int(v) for k, v in dict(link.get("removed", {})).items()}
    told = [f"-{number(count)} {reason}" for reason, count in removed.items()]
    told += [f"{number(link['changed'])} changed"] if link.get("changed") else []
    parts = [(float(link["rows_out"]), "var(--accent)"), (float(sum(removed.values())), "var(--fail)")]
    bar = share_bar(parts, whole, width=200)
    rows = tag("span", f" {number(link['rows_out'])}", class_="small")
    return [tag("div", link["step"]), tag("div", bar, rows), tag("div", ", ".join(told), class_="small")]


def curves(view: View) -> Html | None:
    """Draw what each training step logged: losses together, every other curve by itself."""
    figures = []
    for execution in view.executions:
        points = _curves_of(view.registry.metrics(execution.id))
        losses = {name: found for name, found in points.items() if "loss" in name}
        others = {name: found for name, found in points.items() if name not in losses}
        drawn = ([losses] if losses else []) + [{name: found} for name, found in others.items() if len(found) > 1]
        figures += [_figure(execution.step, one) for one in drawn]
    return section("Training curves", tag("div", *figures, class_="grid")) if figures else None


def _curves_of(metrics: list[Metric]) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for metric in metrics:
        found.setdefault(metric.name, []).append((metric.step, metric.value))
    return found


def _figure(step: str, series: dict[str, list[Point]]) -> Html:
    names = ", ".join(name.replace("_", " ") for name in series)
    ends = ", ".join(f"{number(points[0][1])} → {number(points[-1][1])}" for points in series.values())
    return tag("figure", tag("figcaption", f"{step}: {names} ", tag("span", ends, class_="small")), line_chart(series))


def lineage(view: View) -> Html:
    """Draw the newest nodes, and all that they came from."""
    registry = view.registry
    nodes = {node.id: node for node in view.nodes}
    for node in view.nodes:
        for id in registry.graph.upstream(node.id):
            if id not in nodes:
                nodes[id] = registry.node(id)
    boxes = [Box(n.id, n.ref, view.stage(n), n.kind, _tip(n)) for _, n in sorted(nodes.items())]
    note = "The newest node of each step, and what it came from, from left to right. Hover for digests."
    return section("Lineage", lineage_graph(boxes, registry.graph.edges(nodes)), note=note)


def _tip(node: Node) -> str:
    return f"{node.digest[:16]} · {size(node.size_bytes)} · {moment(node.created)}"
