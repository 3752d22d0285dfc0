"""Charts: the places of points are right, whatever the numbers are."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm.pages.charts import MOST_POINTS, Bound, domain_of, interval_bar, line_chart, share_bar, span, ticks
from mlm.pages.html import Html

NUMBERS = st.floats(min_value=-1e12, max_value=1e12)


def drawn(svg: Html) -> list[tuple[float, float]]:
    """Return the points of the first curve."""
    line = ET.fromstring(svg).find("polyline")
    assert line is not None
    return [(float(x), float(y)) for x, _, y in (pair.partition(",") for pair in line.attrib["points"].split())]


def test_a_falling_loss_falls_on_the_page() -> None:
    points = drawn(line_chart({"loss": [(0, 4.0), (1, 2.0), (2, 1.0)]}))

    xs, ys = zip(*points, strict=True)
    assert list(xs) == sorted(xs)
    # SVG counts downwards.
    assert list(ys) == sorted(ys)
    # Half of the range of x, and two thirds of the range of y, lie before the middle point.
    assert xs[1] - xs[0] == pytest.approx((xs[2] - xs[0]) / 2, abs=0.02)
    assert ys[1] - ys[0] == pytest.approx((ys[2] - ys[0]) * 2 / 3, abs=0.02)


def test_points_that_are_no_number_are_left_out() -> None:
    assert len(drawn(line_chart({"loss": [(0, 1.0), (1, math.nan), (2, math.inf), (3, 0.5)]}))) == 2


def test_a_curve_without_numbers_says_so() -> None:
    assert "No points" in line_chart({"loss": [(0, math.nan)]})


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    short = drawn(line_chart({"loss": [(i, 1.0 / (i + 1)) for i in range(10_001)]}))
    whole = drawn(line_chart({"loss": [(0, 1.0), (10_000, 1.0 / 10_001)]}))

    assert len(short) <= MOST_POINTS + 1
    assert short[-1] == whole[-1]


def test_several_curves_have_a_legend_and_one_has_none() -> None:
    assert "chat@2" in line_chart({"chat@1": [(0, 1), (1, 2)], "chat@2": [(0, 2), (1, 3)]})
    assert ">loss</text>" not in line_chart({"loss": [(0, 1), (1, 2)]})


@given(st.lists(NUMBERS, min_size=1))
def test_a_span_holds_every_value_and_is_never_empty(values: list[float]) -> None:
    low, high = span(values)

    assert low < high
    assert all(low <= value <= high for value in values)


@given(st.floats(min_value=-1e6, max_value=1e6), st.floats(min_value=1e-3, max_value=1e6))
def test_ticks_lie_within_the_axis_at_equal_steps(low: float, length: float) -> None:
    found = ticks(low, low + length)

    assert 1 <= len(found) <= 7
    assert all(low - length * 1e-6 <= value <= low + length * (1 + 1e-6) for value in found)


def test_an_interval_bar_shows_value_interval_and_bound() -> None:
    parsed = ET.fromstring(
        interval_bar(0.5, 0.25, 0.75, domain=(0, 1), bound=Bound(0.8, True), outcome="fail", width=110)
    )

    interval, bound = (line for line in sorted(parsed.findall("line"), key=lambda line: "class" in line.attrib))
    dot = parsed.find("circle")
    assert dot is not None
    # 0 lies at 5 and 1 at 105.
    assert (float(interval.attrib["x1"]), float(dot.attrib["cx"]), float(interval.attrib["x2"])) == (30, 55, 80)
    assert (bound.attrib["x1"], bound.attrib["class"]) == ("85.0", "bound")
    assert "var(--fail)" in interval.attrib["style"]
    assert parsed.findtext("title") == "0.5 [0.25, 0.75], bound 0.8"


def test_the_allowed_side_is_tinted() -> None:
    tints = []
    for at_least in (True, False):
        parsed = ET.fromstring(interval_bar(0.5, None, None, domain=(0, 1), bound=Bound(0.5, at_least), width=110))
        [good] = [rect for rect in parsed.findall("rect") if rect.attrib["class"] == "good"]
        tints.append((float(good.attrib["x"]), float(good.attrib["width"])))
    assert tints == [(55, 55), (0, 55)]


def test_what_could_not_be_measured_is_said() -> None:
    assert "not measurable" in interval_bar(None, None, None, domain=(0, 1))
    assert "not measurable" in interval_bar(math.nan, None, None, domain=(0, 1))


def test_shares_are_drawn_from_zero_to_one_and_others_from_zero() -> None:
    assert domain_of("share", [0.9]) == (0, 1)
    assert domain_of("seconds", [2.0, None, math.nan]) == pytest.approx((0, 2.16))


def test_parts_of_a_whole_stand_side_by_side() -> None:
    parsed = ET.fromstring(share_bar([(0.75, "red"), (0.25, "blue")], 1.0, width=100))

    rects = [(float(r.attrib["x"]), float(r.attrib["width"])) for r in parsed.findall("rect") if "style" in r.attrib]
    assert rects == [(0, 75), (75, 25)]
