"""Small charts as inline SVG: legible in print and to colour-blind readers, without a plotting library.

A chart inherits the page's fonts and ink. Lines differ by dashes and dots by shape as well as by colour, and grey text
stays dark enough for paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

from ..interval import Interval
from .svg import element

if TYPE_CHECKING:
    from markupsafe import Markup

INK, SOFT, GRID = "#1d2430", "#5b6577", "#e3e6ec"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9")
"""Okabe and Ito's colours, without yellow, which is too pale on paper."""
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2", "1 2")
SHAPES = ("circle", "square", "diamond", "triangle", "cross", "ring")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """A linear axis from ``low`` to ``high``, with lines and numbers (or ``names``) at its ``ticks``."""

    low: float
    high: float
    ticks: tuple[float, ...]
    title: str = ""
    percent: bool = False
    names: tuple[str, ...] = ()

    def place(self, value: float) -> float:
        """The position along the axis, 0 to 1; values beyond its ends are moved to them."""
        return (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1.0)

    def text(self, value: float) -> str:
        """The label of a tick."""
        if self.names:
            return self.names[self.ticks.index(value)]
        return f"{value:.0%}" if self.percent else f"{value:g}"


class Plot:
    """A plotting area with two axes; later drawings cover earlier ones.

    Args:
        name: what the chart shows, for screen readers.
        x, y: the axes.
        width, height: of the whole picture, in pixels at its natural size.
    """

    def __init__(self, name: str, x: Axis, y: Axis, width: int = 214, height: int = 216) -> None:
        self.name, self.x, self.y, self.width, self.height = name, x, y, width, height
        self.left, self.right, self.top, self.bottom = 42, width - 13, 10, height - 40
        self._parts: list[Markup] = []
        for tick in x.ticks:
            at = self._x(tick)
            self._parts.append(element("path", d=f"M{at:.1f} {self.top}V{self.bottom}", stroke=GRID))
            self._label(at, self.bottom + 15, x.text(tick), "middle")
        for tick in y.ticks:
            at = self._y(tick)
            self._parts.append(element("path", d=f"M{self.left} {at:.1f}H{self.right}", stroke=GRID))
            self._label(self.left - 6, at + 4, y.text(tick), "end")
        self._label((self.left + self.right) / 2, self.bottom + 32, x.title, "middle")
        middle = (self.top + self.bottom) / 2
        self._label(11, middle, y.title, "middle", turned=f"rotate(-90 11 {middle:.1f})")

    def line(self, points: Points, color: str, *, dash: str = "", width: float = 2) -> None:
        """A line through ``points``; points that fall on one pixel are drawn once."""
        pixels: list[str] = []
        for x, y in points:
            pixel = f"{self._x(x):.1f},{self._y(y):.1f}"
            if not pixels or pixels[-1] != pixel:
                pixels.append(pixel)
        self._parts.append(
            element(
                "polyline",
                points=" ".join(pixels),
                fill="none",
                stroke=color,
                stroke_width=width,
                stroke_linejoin="round",
                stroke_dasharray=dash or None,
            )
        )

    def band(self, points: Sequence[tuple[float, float, float]], color: str) -> None:
        """The area between the second and the third value of each point."""
        upper = [f"{self._x(x):.1f},{self._y(high):.1f}" for x, _, high in points]
        lower = [f"{self._x(x):.1f},{self._y(low):.1f}" for x, low, _ in reversed(points)]
        self._parts.append(element("polygon", points=" ".join(upper + lower), fill=color, fill_opacity=".13"))

    def bar(self, low: float, high: float, value: float, color: str) -> None:
        """A bar from ``low`` to ``high`` on the x axis, ``value`` high from the bottom of the y axis."""
        x, y = self._x(low) + 1, self._y(value)
        width, height = self._x(high) - self._x(low) - 2, self.bottom - y
        self._parts.append(rectangle(x, y, width, height, fill=color, fill_opacity=".28"))

    def dot(self, x: float, y: float, color: str, *, shape: str = "circle", size: float = 4, note: str = "") -> None:
        """A dot; ``note`` is shown under the pointer."""
        self._parts.append(dot(self._x(x), self._y(y), color, shape, size, note))

    def text(
        self, x: float, y: float, text: str, *, anchor: str = "start", shift: tuple[float, float] = (6, -6)
    ) -> None:
        """Words beside a point, moved by ``shift`` pixels."""
        self._label(self._x(x) + shift[0], self._y(y) + shift[1], text, anchor, color=INK)

    def svg(self) -> Markup:
        """The picture."""
        frame = f"M{self.left} {self.top}V{self.bottom}H{self.right}"
        lines = element("path", d=frame, fill="none", stroke=SOFT)
        return picture(self.name, self.width, self.height, *self._parts, lines)

    def _x(self, value: float) -> float:
        return self.left + self.x.place(value) * (self.right - self.left)

    def _y(self, value: float) -> float:
        return self.bottom - self.y.place(value) * (self.bottom - self.top)

    def _label(
        self, x: float, y: float, words: str, anchor: str, *, turned: str | None = None, color: str = SOFT
    ) -> None:
        if words:
            self._parts.append(text(x, y, words, anchor, color, transform=turned))


def picture(name: str, width: float, height: float, *parts: Markup) -> Markup:
    """An SVG element that shrinks with the page and says its ``name``."""
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
        aria_label=name,
        font_size="11",
    )


def text(x: float, y: float, words: str, anchor: str, color: str = SOFT, **more: str | None) -> Markup:
    """Text whose start, middle or end (``anchor``) is at pixel ``x``, ``y``."""
    return element("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, fill=color, **more)


def rectangle(x: float, y: float, width: float, height: float, *inside: Markup, **look: str) -> Markup:
    """A rectangle; position and size are in pixels."""
    size = {"width": f"{width:.1f}", "height": f"{height:.1f}"}
    return element("rect", *inside, x=f"{x:.1f}", y=f"{y:.1f}", **size, **look)


def tip(words: str) -> list[Markup]:
    """A tooltip, to put inside a mark; empty if there are no words."""
    return [element("title", words)] if words else []


def dot(x: float, y: float, color: str, shape: str = "circle", size: float = 4, note: str = "") -> Markup:
    """A mark of one of :data:`SHAPES`, its centre at pixel ``x``, ``y``, with a white rim to set it off from others.

    ``note`` is shown under the pointer.
    """
    paths = {
        "square": f"M{x - size:.1f} {y - size:.1f}h{2 * size}v{2 * size}h{-2 * size}z",
        "diamond": f"M{x:.1f} {y - 1.4 * size:.1f}l{1.4 * size} {1.4 * size}l{-1.4 * size} {1.4 * size}"
        f"l{-1.4 * size} {-1.4 * size}z",
        "triangle": f"M{x:.1f} {y - 1.3 * size:.1f}l{1.2 * size} {2.2 * size}h{-2.4 * size}z",
    }
    inside = tip(note)
    if shape == "cross":
        path = f"M{x - size:.1f} {y - size:.1f}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}"
        return element("path", *inside, d=path, stroke=color, stroke_width="2.2", fill="none")
    if shape in paths:
        return element("path", *inside, d=paths[shape], fill=color, stroke="#fff", stroke_width="1")
    center = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{size:g}"}
    if shape == "ring":
        return element("circle", *inside, **center, fill="#fff", stroke=color, stroke_width="2")
    return element("circle", *inside, **center, fill=color, stroke="#fff", stroke_width="1")


def whisker(
    interval: Interval,
    axis: Axis,
    color: str = INK,
    *,
    shape: str = "circle",
    zero: float | None = None,
    width: int = 180,
) -> Markup:
    """A figure and its interval on one line, for a table's cell below :func:`ruler`."""

    def at(value: float) -> float:
        return 8 + axis.place(value) * (width - 16)

    lines = [element("path", d=f"M{at(t):.1f} 0V18", stroke=GRID) for t in axis.ticks]
    if zero is not None:
        lines.append(element("path", d=f"M{at(zero):.1f} 0V18", stroke=SOFT))
    low, high = at(interval.low), at(interval.high)
    ends = f"M{low:.1f} 9H{high:.1f}M{low:.1f} 6v6M{high:.1f} 6v6"
    lines.append(element("path", d=ends, stroke=color, stroke_width="1.6"))
    name = f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
    return picture(name, width, 18, *lines, dot(at(interval.value), 9, color, shape, 4.2, name))


def ruler(axis: Axis, width: int = 180) -> Markup:
    """The scale of a column of :func:`whisker`."""
    marks = [text(8 + axis.place(t) * (width - 16), 12, axis.text(t), "middle", font_size="11") for t in axis.ticks]
    return picture(axis.title or "scale", width, 16, *marks)


def sample(color: str, *, shape: str = "", dash: str = "") -> Markup:
    """A legend's sample of a line: a stretch of it, with its dot."""
    mark = [dot(13, 8, color, shape)] if shape else []
    size = {"viewBox": "0 0 26 16", "width": "26", "height": "16"}
    return element("svg", stroke("M1 8H25", color, dash), *mark, **size, aria_hidden="true")


def stroke(path: str, color: str, dash: str = "") -> Markup:
    """A line of a legend."""
    return element("path", d=path, stroke=color, stroke_width="2", stroke_dasharray=dash or None)


def ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Round numbers from ``low`` to ``high``, both included where they are round, at most ``most`` + 1 of them."""
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000):
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        if last - first <= most:
            return tuple(round(step * i, 4) for i in range(first, last + 1))
    return (low, high)


def floor_of(values: Sequence[float], most: float = 0.8) -> float:
    """Where an axis of scores should begin: the tenth below the lowest of ``values``, but at most ``most``."""
    return max(0.0, min(most, floor(min(values, default=most) * 10) / 10))
