"""Histograms over bins that double, drawn over each other: before in outline, after filled."""

from __future__ import annotations

from collections.abc import Mapping

from mlm.pages.html import Html, tag
from mlm.pages.quantities import number

_LEFT, _BOTTOM, _TOP = 52, 24, 22


def histogram(before: Mapping[str, int], after: Mapping[str, int], *, width: int = 520, height: int = 200) -> Html:
    """Draw two counts by the lower end of their bin: 0, 1, 2, 4, ..."""
    bins = _bins(before, after)
    most = max([*before.values(), *after.values(), 1])
    step = (width - _LEFT - 8) / max(len(bins), 1)
    floor = height - _BOTTOM

    def tall(count: int) -> float:
        return round(count / most * (floor - _TOP), 2)

    parts = [tag("line", x1=_LEFT, x2=width - 8, y1=floor, y2=floor, class_="axis")]
    parts += [tag("text", number(most), x=_LEFT - 6, y=_TOP + 4, text_anchor="end")]
    for place, low in enumerate(bins):
        left = round(_LEFT + place * step, 2)
        was, now = before.get(str(low), 0), after.get(str(low), 0)
        told = tag("title", f"{_span(low)}: {number(was)} before, {number(now)} after")
        parts.append(
            tag(
                "g",
                told,
                tag("rect", x=left + 2, y=floor - tall(now), width=round(step - 4, 2), height=tall(now), class_="now"),
                tag("rect", x=left + 2, y=floor - tall(was), width=round(step - 4, 2), height=tall(was), class_="was"),
            )
        )
        if place % max(1, len(bins) // 8) == 0:
            parts.append(tag("text", number(low), x=left + 2, y=height - 8))
    parts += [
        tag("rect", x=_LEFT, y=4, width=10, height=10, class_="was"), tag("text", "as read", x=_LEFT + 15, y=13),
        tag("rect", x=_LEFT + 80, y=4, width=10, height=10, class_="now"),
        tag("text", "as stored", x=_LEFT + 95, y=13),
    ]  # fmt: skip
    label = "histogram of the lengths of texts in characters"
    return tag("svg", *parts, viewBox=f"0 0 {width} {height}", width=width, role="img", aria_label=label)


def _bins(*counts: Mapping[str, int]) -> list[int]:
    """Return the lower ends of all bins from the least to the greatest, empty ones between them too."""
    ends = sorted({int(low) for one in counts for low in one})
    bins, low = [], ends[0] if ends else 0
    while ends and low <= ends[-1]:
        bins.append(low)
        low = low * 2 or 1
    return bins


def _span(low: int) -> str:
    return f"{number(low)} to {number(2 * low - 1)} characters" if low > 1 else f"{low} characters"
