"""Charts: numbers in the right places, text as text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.base.interval import Interval
from pizhu.base.page.charts import SHAPES, Axis, Plot, dot, floor_of, ruler, ticks, whisker

UNIT = Axis(0, 1, (0, 0.5, 1), "x")


@pytest.mark.parametrize(
    ("low", "high", "want"),
    [
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (0.8, 1, (0.8, 0.85, 0.9, 0.95, 1)),
        (0.7, 1, (0.7, 0.8, 0.9, 1)),
        (0, 0.5, (0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        (-0.02, 0.21, (0, 0.05, 0.1, 0.15, 0.2)),
    ],
)
def test_ticks_are_round(low: float, high: float, want: tuple[float, ...]) -> None:
    assert ticks(low, high) == pytest.approx(want)


@given(st.floats(-1000, 1000), st.floats(0.001, 1000))
def test_ticks_lie_inside(low: float, length: float) -> None:
    found = ticks(low, low + length)
    assert len(found) <= 6 and all(low - 1e-3 <= t <= low + length + 1e-3 for t in found)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_an_axis_of_scores_begins_below_them(values: list[float]) -> None:
    assert 0 <= floor_of(values) <= min([0.8, *values])


def test_a_plot_is_well_formed_and_says_what_it_shows() -> None:
    plot = Plot("<名称>", UNIT, Axis(0, 2, (0, 1, 2), names=("甲", "<乙>", "丙")), 300, 200)
    plot.line([(0, 0), (0.00001, 0), (1, 2)], "#000", dash="2 2")
    plot.band([(0, 0, 1), (1, 1, 2)], "#000")
    plot.bar(0.1, 0.2, 1, "#000")
    plot.dot(2, 5, "#000", note="<外>")  # beyond the ends: it stays at them
    plot.text(0.5, 1, "a < b")
    root = ElementTree.fromstring(plot.svg())
    assert root.get("aria-label") == "<名称>" and root.get("role") == "img"
    texts = [element.text for element in root.iter("text")]
    assert {"甲", "<乙>", "丙", "0.5", "a < b"} <= set(texts)
    line = next(root.iter("polyline")).get("points") or ""
    assert len(line.split()) == 2  # what falls on one pixel is drawn once
    for x, y in re.findall(r"([\d.]+),([\d.]+)", plot.svg()):
        assert 0 <= float(x) <= 300 and 0 <= float(y) <= 200
    circle = next(root.iter("circle"))
    assert (float(circle.get("cx") or 0), float(circle.get("cy") or 0)) == (plot.right, plot.top)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_drawn(shape: str) -> None:
    drawn = dot(5, 5, "#000", shape, 4, "<1>")
    assert "<title>&lt;1&gt;</title>" in drawn
    assert ElementTree.fromstring(drawn).tag in ("circle", "path")


def test_shapes_differ() -> None:
    assert len({dot(5, 5, "#000", shape) for shape in SHAPES}) == len(SHAPES)


def test_a_whisker_stands_under_its_ruler() -> None:
    scale = ElementTree.fromstring(ruler(UNIT))
    middle = next(t for t in scale.iter("text") if t.text == "0.5").get("x")
    mark = next(ElementTree.fromstring(whisker(Interval(0.5, 0.2, 0.9), UNIT)).iter("circle"))
    assert mark.get("cx") == middle
    assert "0.500 [0.200, 0.900]" in whisker(Interval(0.5, 0.2, 0.9), UNIT)
