"""Small charts as inline SVG: legible in print and to colour-blind readers, without a plotting library.

A chart inherits the page's fonts and ink. Lines differ by dashes and dots by shape as well as by colour, and grey text
stays dark enough for paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor

from ..interval import Interval

INK, SOFT, GRID = "#1d2430", "#5b6577", "#e3e6ec"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9")
"""Okabe and Ito's colours, without yellow, which paper swallows."""
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2", "1 2")
SHAPES = ("circle", "square", "diamond", "triangle", "cross", "ring")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """A linear axis from ``low`` to ``high`` with ``ticks`` where lines and numbers, or their ``names``, stand."""

    low: float
    high: float
    ticks: tuple[float, ...]
    title: str = ""
    percent: bool = False
    names: tuple[str, ...] = ()

    def place(self, value: float) -> float:
        """0 to 1 along the axis; what lies beyond its ends stays at them."""
        return (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1.0)

    def text(self, value: float) -> str:
        """How a tick is written."""
        if self.names:
            return self.names[self.ticks.index(value)]
        return f"{value:.0%}" if self.percent else f"{value:g}"


class Plot:
    """A plotting area with two axes; what is drawn later lies above.

    Args:
        name: what the chart shows, for readers who hear it.
        x, y: the axes.
        width, height: of the whole picture, in pixels at its natural size.
    """

    def __init__(self, name: str, x: Axis, y: Axis, width: int = 214, height: int = 216) -> None:
        self.name, self.x, self.y, self.width, self.height = name, x, y, width, height
        self.left, self.right, self.top, self.bottom = 42, width - 13, 10, height - 40
        self._parts: list[str] = []
        for tick in x.ticks:
            at = self._x(tick)
            self._parts.append(f'<path d="M{at:.1f} {self.top}V{self.bottom}" stroke="{GRID}"/>')
            self._label(at, self.bottom + 15, x.text(tick), "middle")
        for tick in y.ticks:
            at = self._y(tick)
            self._parts.append(f'<path d="M{self.left} {at:.1f}H{self.right}" stroke="{GRID}"/>')
            self._label(self.left - 6, at + 4, y.text(tick), "end")
        self._label((self.left + self.right) / 2, self.bottom + 32, x.title, "middle")
        middle = (self.top + self.bottom) / 2
        turned = f' transform="rotate(-90 11 {middle:.1f})"'
        self._label(11, middle, y.title, "middle", turned)

    def line(self, points: Points, color: str, *, dash: str = "", width: float = 2) -> None:
        """A line through ``points``; those that fall on one pixel are drawn once."""
        pixels: list[str] = []
        for x, y in points:
            pixel = f"{self._x(x):.1f},{self._y(y):.1f}"
            if not pixels or pixels[-1] != pixel:
                pixels.append(pixel)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{" ".join(pixels)}" fill="none" stroke="{color}" stroke-width="{width}"'
            f' stroke-linejoin="round"{dashes}/>'
        )

    def band(self, points: Sequence[tuple[float, float, float]], color: str) -> None:
        """The area between the second and the third of each point."""
        upper = [f"{self._x(x):.1f},{self._y(high):.1f}" for x, _, high in points]
        lower = [f"{self._x(x):.1f},{self._y(low):.1f}" for x, low, _ in reversed(points)]
        self._parts.append(f'<polygon points="{" ".join(upper + lower)}" fill="{color}" fill-opacity=".13"/>')

    def bar(self, low: float, high: float, value: float, color: str) -> None:
        """A bar from ``low`` to ``high`` on the x axis, ``value`` high from the bottom of the y axis."""
        x, y = self._x(low) + 1, self._y(value)
        width, height = self._x(high) - self._x(low) - 2, self.bottom - y
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"'
            ' fill-opacity=".28"/>'
        )

    def dot(self, x: float, y: float, color: str, *, shape: str = "circle", size: float = 4, note: str = "") -> None:
        """A dot; ``note`` is shown under the pointer."""
        self._parts.append(dot(self._x(x), self._y(y), color, shape, size, note))

    def text(
        self, x: float, y: float, text: str, *, anchor: str = "start", shift: tuple[float, float] = (6, -6)
    ) -> None:
        """Words beside a point, moved by ``shift`` pixels."""
        self._label(self._x(x) + shift[0], self._y(y) + shift[1], text, anchor, color=INK)

    def svg(self) -> str:
        """The picture."""
        body = "".join(self._parts)
        frame = f'<path d="M{self.left} {self.top}V{self.bottom}H{self.right}" fill="none" stroke="{SOFT}"/>'
        return picture(self.name, self.width, self.height, body + frame)

    def _x(self, value: float) -> float:
        return self.left + self.x.place(value) * (self.right - self.left)

    def _y(self, value: float) -> float:
        return self.bottom - self.y.place(value) * (self.bottom - self.top)

    def _label(self, x: float, y: float, text: str, anchor: str, turned: str = "", color: str = SOFT) -> None:
        if text:
            place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
            self._parts.append(f'<text {place} fill="{color}"{turned}>{escape(text)}</text>')


def picture(name: str, width: float, height: float, body: str) -> str:
    """An SVG element that shrinks with the page and says its ``name``."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(name)}" font-size="11">{body}</svg>'
    )


def dot(x: float, y: float, color: str, shape: str = "circle", size: float = 4, note: str = "") -> str:
    """A mark of one of :data:`SHAPES`, its centre at pixel ``x``, ``y``, with a white rim that parts it from others."""
    title = f"<title>{escape(note)}</title>" if note else ""
    paths = {
        "square": f"M{x - size:.1f} {y - size:.1f}h{2 * size}v{2 * size}h{-2 * size}z",
        "diamond": f"M{x:.1f} {y - 1.4 * size:.1f}l{1.4 * size} {1.4 * size}l{-1.4 * size} {1.4 * size}"
        f"l{-1.4 * size} {-1.4 * size}z",
        "triangle": f"M{x:.1f} {y - 1.3 * size:.1f}l{1.2 * size} {2.2 * size}h{-2.4 * size}z",
    }
    if shape == "cross":
        path = f"M{x - size:.1f} {y - size:.1f}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}"
        return f'<path d="{path}" stroke="{color}" stroke-width="2.2" fill="none">{title}</path>'
    if shape == "ring":
        center = f'cx="{x:.1f}" cy="{y:.1f}" r="{size:g}"'
        return f'<circle {center} fill="#fff" stroke="{color}" stroke-width="2">{title}</circle>'
    fill = f'fill="{color}" stroke="#fff" stroke-width="1"'
    if shape in paths:
        return f'<path d="{paths[shape]}" {fill}>{title}</path>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" {fill}>{title}</circle>'


def whisker(
    interval: Interval,
    axis: Axis,
    color: str = INK,
    *,
    shape: str = "circle",
    zero: float | None = None,
    width: int = 180,
) -> str:
    """A figure and its interval on one line, to stand in a table's cell under :func:`ruler`."""

    def at(value: float) -> float:
        return 8 + axis.place(value) * (width - 16)

    lines = "".join(f'<path d="M{at(t):.1f} 0V18" stroke="{GRID}"/>' for t in axis.ticks)
    if zero is not None:
        lines += f'<path d="M{at(zero):.1f} 0V18" stroke="{SOFT}"/>'
    low, high = at(interval.low), at(interval.high)
    lines += f'<path d="M{low:.1f} 9H{high:.1f}M{low:.1f} 6v6M{high:.1f} 6v6" stroke="{color}" stroke-width="1.6"/>'
    name = f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
    return picture(name, width, 18, lines + dot(at(interval.value), 9, color, shape, 4.2, name))


def ruler(axis: Axis, width: int = 180) -> str:
    """The scale of a column of :func:`whisker`."""
    ticks = "".join(
        f'<text x="{8 + axis.place(t) * (width - 16):.1f}" y="12" text-anchor="middle" fill="{SOFT}" font-size="11">'
        f"{escape(axis.text(t))}</text>"
        for t in axis.ticks
    )
    return picture(axis.title or "scale", width, 16, ticks)


def key(color: str, text: str, *, shape: str = "", dash: str = "") -> str:
    """An entry of a legend, as HTML: a stretch of the line, its dot, its words."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    line = f'<path d="M1 8H25" stroke="{color}" stroke-width="2"{dashes}/>'
    mark = dot(13, 8, color, shape) if shape else ""
    return (
        f'<span class="key"><svg viewBox="0 0 26 16" width="26" height="16" aria-hidden="true">{line}{mark}</svg>'
        f"{escape(text)}</span>"
    )


def ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Round numbers from ``low`` to ``high``, both included where they are round, at most ``most`` + 1 of them."""
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000):
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        if last - first <= most:
            return tuple(round(step * i, 4) for i in range(first, last + 1))
    return (low, high)


def floor_of(values: Sequence[float], most: float = 0.8) -> float:
    """Where an axis of scores should begin: the tenth below the lowest of ``values``, ``most`` at the highest."""
    return max(0.0, min(most, floor(min(values, default=most) * 10) / 10))
