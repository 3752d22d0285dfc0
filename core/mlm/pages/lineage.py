"""The lineage graph as SVG: columns by stage, a box a node, curves for what went into what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from attrs import frozen

from mlm.pages.html import Html, tag
from mlm_registry import Edge

STAGES = ("improvement", "data", "model", "training", "alignment", "export", "evaluation")
"""Stages from left to right; one that is not here stands before them."""
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _TOP = 136, 22, 34, 6, 26
_SWEEPS = 6
_LETTERS = 17
_COLOURS = {"dataset": "var(--c1)", "model": "var(--c0)", "report": "var(--c2)", "tokenizer": "var(--c3)"}


@frozen
class Box:
    """A node to be drawn."""

    id: int
    label: str
    stage: str
    kind: str
    tip: str = ""


@frozen
class Spot:
    """Where a box stands: its upper left corner."""

    x: float
    y: float


def lineage_graph(boxes: Sequence[Box], edges: Iterable[Edge]) -> Html:
    """Draw a lineage graph."""
    if not boxes:
        return tag("p", "Nothing was made yet.", class_="small")
    known = {box.id for box in boxes}
    arrows = [(e.source, e.target) for e in edges if e.source in known and e.target in known]
    columns = ordered(columns_of(boxes, arrows), arrows)
    spots = _spots(columns)
    width = max(spot.x for spot in spots.values()) + _WIDTH + 2
    height = max(spot.y for spot in spots.values()) + _HEIGHT + 4
    curves = [_curve(spots[source], spots[target]) for source, target in arrows]
    drawn = [_box(box, spots[box.id]) for box in boxes]
    heads = _heads(columns, {box.id: box.stage for box in boxes}, spots)
    box_of_all = f"0 0 {width:g} {height:g}"
    graph = tag("svg", *heads, *curves, *drawn, viewBox=box_of_all, width=width, role="img", aria_label="lineage graph")
    return tag("div", graph, class_="scroll")


def columns_of(boxes: Sequence[Box], arrows: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Put each box in a column: by stage, and within a stage after all that it came from there."""
    rank = {box.id: STAGES.index(box.stage) if box.stage in STAGES else -1 for box in boxes}
    sources: dict[int, list[int]] = {}
    for source, target in arrows:
        if rank[source] == rank[target]:
            sources.setdefault(target, []).append(source)
    depth: dict[int, int] = {}
    # Ids ascend from what came first to what came of it.
    for id in sorted(rank):
        depth[id] = max((depth.get(source, 0) + 1 for source in sources.get(id, [])), default=0)
    keys = sorted({(rank[id], depth[id]) for id in rank})
    return [[box.id for box in boxes if (rank[box.id], depth[box.id]) == key] for key in keys]


def ordered(columns: list[list[int]], arrows: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Order each column so that fewer edges cross: by the mean place of its neighbours (Sugiyama et al. 1981)."""
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for source, target in arrows:
        before.setdefault(target, []).append(source)
        after.setdefault(source, []).append(target)
    made = [list(column) for column in columns]
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in made if forward else reversed(made):
            place = _places(made)
            neighbours = before if forward else after
            column.sort(key=lambda one: _mean(neighbours.get(one, []), place, place[one]))
    return made


def _places(columns: Sequence[Sequence[int]]) -> dict[int, float]:
    return {id: (row + 0.5) / len(column) for column in columns for row, id in enumerate(column)}


def _mean(ids: Sequence[int], place: Mapping[int, float], otherwise: float) -> float:
    return sum(place[id] for id in ids) / len(ids) if ids else otherwise


def _spots(columns: Sequence[Sequence[int]]) -> dict[int, Spot]:
    pitch = _HEIGHT + _GAP_Y
    tallest = max(len(column) for column in columns)
    spots = {}
    for number, column in enumerate(columns):
        top = _TOP + (tallest - len(column)) * pitch / 2
        for row, id in enumerate(column):
            spots[id] = Spot(1 + number * (_WIDTH + _GAP_X), round(top + row * pitch, 1))
    return spots


def _curve(source: Spot, target: Spot) -> Html:
    x1, y1 = source.x + _WIDTH, source.y + _HEIGHT / 2
    x2, y2 = target.x, target.y + _HEIGHT / 2
    bend = max(24.0, (x2 - x1) / 2)
    path = f"M{x1:g},{y1:g} C{x1 + bend:g},{y1:g} {x2 - bend:g},{y2:g} {x2:g},{y2:g}"
    return tag("path", d=path, class_="edge")


def _box(box: Box, spot: Spot) -> Html:
    label = box.label if len(box.label) <= _LETTERS else f"{box.label[: _LETTERS - 1]}…"
    tip = tag("title", f"{box.label} · {box.kind} · {box.stage}" + (f"\n{box.tip}" if box.tip else ""))
    frame = tag("rect", x=spot.x, y=spot.y, width=_WIDTH, height=_HEIGHT, rx=2)
    colour = f"fill: {_COLOURS.get(box.kind, 'var(--c5)')}; stroke: none"
    mark = tag("rect", x=spot.x, y=spot.y, width=4, height=_HEIGHT, style=colour)
    return tag("g", tip, frame, mark, tag("text", label, x=spot.x + 11, y=spot.y + 15, class_="name"), class_="node")


def _heads(columns: Sequence[Sequence[int]], stages: Mapping[int, str], spots: Mapping[int, Spot]) -> list[Html]:
    """Write each stage's name over the first of its columns."""
    firsts = [column[0] for column in columns]
    new = [firsts[0], *(b for a, b in pairwise(firsts) if stages[a] != stages[b])]
    return [tag("text", stages[id], x=spots[id].x, y=12) for id in new]
