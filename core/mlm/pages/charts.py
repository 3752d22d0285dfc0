"""Charts as inline SVG: curves with axes and a legend, and intervals with the bound that they are judged by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import frozen

from mlm.pages.html import Html, tag
from mlm.pages.quantities import number

Point = tuple[float, float]
MOST_POINTS = 400
"""Points that one drawn line holds; longer curves are thinned to every n-th, the last point always kept."""
COLOURS = 6
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 24


@frozen
class Bound:
    """What a requirement asks of a metric: at least, or at most, this value."""

    value: float
    at_least: bool


@frozen
class Scale:
    """Maps values of [low, high] to coordinates."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 2)


def span(values: Iterable[float]) -> tuple[float, float]:
    """Return the least and the greatest finite value; where they are the same, zero joins them."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if low == high:
        return min(low, 0.0), max(high, 0.0) if low else 1.0
    return low, high


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round values within [low, high]: steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def line_chart(
    series: Mapping[str, Sequence[Point]],
    *,
    bound: float | None = None,
    shown: Callable[[float], str] = number,
    shown_x: Callable[[float], str] = number,
    x_name: str = "step",
    width: int = 360,
    height: int = 190,
) -> Html:
    """Draw curves over one pair of axes; points that are no number are left out, and `bound` is a dashed line."""
    drawn = {name: _finite(points) for name, points in series.items()}
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return tag("p", "No points.", class_="small")
    everything = [point for points in drawn.values() for point in points]
    x = Scale(*span(p[0] for p in everything), _LEFT, width - _RIGHT)
    bounds = [bound] if bound is not None else []
    legend_room = 18 if len(drawn) > 1 else 0
    y = Scale(*span([*(p[1] for p in everything), *bounds]), height - _BOTTOM, _TOP + legend_room)
    lines = [_line(points, x, y, index % COLOURS) for index, points in enumerate(drawn.values())]
    parts = [*_axes(x, y, height, shown, shown_x, x_name), *_bound_line(bound, x, y), *lines]
    if len(drawn) > 1:
        parts += _legend(list(drawn))
    names = ", ".join(drawn)
    return tag("svg", *parts, viewBox=f"0 0 {width} {height}", width=width, role="img", aria_label=f"curves of {names}")


def _finite(points: Sequence[Point]) -> list[Point]:
    kept = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    every = math.ceil(len(kept) / MOST_POINTS) or 1
    thinned = kept[::every]
    return thinned if not kept or thinned[-1] == kept[-1] else [*thinned, kept[-1]]


def _line(points: list[Point], x: Scale, y: Scale, colour: int) -> Html:
    style = f"stroke: var(--c{colour})"
    if len(points) == 1:
        return tag("circle", cx=x(points[0][0]), cy=y(points[0][1]), r=2.5, style=f"fill: var(--c{colour})")
    path = " ".join(f"{x(a)},{y(b)}" for a, b in points)
    return tag("polyline", points=path, class_="line", style=style)


def _axes(
    x: Scale, y: Scale, height: int, shown: Callable[[float], str], shown_x: Callable[[float], str], x_name: str
) -> list[Html]:
    parts = []
    for value in ticks(y.low, y.high, 4):
        parts.append(tag("line", x1=x.start, x2=x.end, y1=y(value), y2=y(value), class_="axis"))
        parts.append(tag("text", shown(value), x=x.start - 6, y=y(value) + 4, text_anchor="end"))
    for value, anchor in ((x.low, "start"), (x.high, "end")):
        parts.append(tag("text", shown_x(value), x=x(value), y=height - 6, text_anchor=anchor))
    parts.append(tag("text", x_name, x=(x.start + x.end) / 2, y=height - 6, text_anchor="middle"))
    return parts


def _bound_line(bound: float | None, x: Scale, y: Scale) -> list[Html]:
    if bound is None:
        return []
    return [tag("line", x1=x.start, x2=x.end, y1=y(bound), y2=y(bound), class_="bound", stroke_dasharray="4 3")]


def _legend(names: list[str]) -> list[Html]:
    parts, left = [], float(_LEFT)
    for index, name in enumerate(names):
        parts.append(tag("rect", x=left, y=5, width=10, height=3, style=f"fill: var(--c{index % COLOURS})"))
        parts.append(tag("text", name, x=left + 14, y=11))
        left += 28 + 6.2 * len(name)
    return parts


def interval_bar(
    value: float | None,
    low: float | None,
    high: float | None,
    *,
    domain: tuple[float, float],
    bound: Bound | None = None,
    outcome: str = "",
    width: int = 150,
) -> Html:
    """Draw a value with its interval; the side that the bound allows is tinted.

    Args:
        domain: The values at the left and at the right end.
        outcome: `pass`, `fail` or `inconclusive` gives the colour.
    """
    if value is None or not math.isfinite(value):
        return tag("span", "not measurable", class_="small")
    x = Scale(*span([*domain, *([bound.value] if bound else [])]), 5, width - 5)
    is_point = low is None and high is None
    low, high = value if low is None else low, value if high is None else high
    ink = {"pass": "var(--pass)", "fail": "var(--fail)", "inconclusive": "var(--open)"}.get(outcome, "var(--accent)")
    parts = [tag("rect", x=0, y=5, width=width, height=6, rx=3, class_="track"), *_tinted(bound, x, width)]
    parts.append(
        tag("line", x1=x(low), x2=x(high), y1=8, y2=8, style=f"stroke: {ink}; stroke-width: 3; stroke-linecap: round")
    )
    parts.append(tag("circle", cx=x(value), cy=8, r=3.4, style=f"fill: {ink}"))
    between = "without an interval" if is_point else f"[{number(low)}, {number(high)}]"
    told = f"{number(value)} {between}" + (f", bound {number(bound.value)}" if bound else "")
    return tag("svg", tag("title", told), *parts, viewBox=f"0 0 {width} 16", width=width, height=16, class_="bar")


def _tinted(bound: Bound | None, x: Scale, width: int) -> list[Html]:
    if bound is None:
        return []
    at = x(bound.value)
    start, end = (at, width) if bound.at_least else (0, at)
    good = tag("rect", x=start, y=5, width=round(end - start, 2), height=6, rx=3, class_="good")
    return [good, tag("line", x1=at, x2=at, y1=1, y2=15, class_="bound")]


def domain_of(unit: str, values: Iterable[float | None]) -> tuple[float, float]:
    """Return the ends of an interval bar: 0 to 1 for shares, else from 0 to a little past the greatest value."""
    if unit in ("share", "F1"):
        return 0.0, 1.0
    finite = [v for v in values if v is not None and math.isfinite(v)] or [1.0]
    return min(0.0, *finite), max(0.0, *finite) * 1.08 or 1.0


def share_bar(parts: Sequence[tuple[float, str]], whole: float, *, width: int = 150) -> Html:
    """Draw amounts side by side as parts of a whole; each has its colour."""
    drawn, left = [], 0.0
    for amount, colour in parts:
        wide = round(width * amount / whole, 2) if whole else 0
        drawn.append(tag("rect", x=round(left, 2), y=3, width=wide, height=10, style=f"fill: {colour}"))
        left += wide
    track = tag("rect", x=0, y=3, width=width, height=10, class_="track")
    return tag("svg", track, *drawn, viewBox=f"0 0 {width} 16", width=width, height=16, class_="bar")
