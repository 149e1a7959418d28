"""Pairwise agreement as a heat map: inline SVG whose cells show their figures, so that nobody has to compare shades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ....base.interval import Figure
from ....base.page.charts import GRID, INK, SOFT, picture, text, tip
from ....base.page.svg import element

if TYPE_CHECKING:
    from markupsafe import Markup

UNDEFINED = "–"
"""Shown in place of an undefined figure."""

_COLD, _WARM = (213, 94, 0), (0, 114, 178)
_NAME = 10
"""Characters of a name that fit beside a row."""


def heat_map(
    title: str, annotators: Sequence[str], kappas: Mapping[frozenset[str], Figure], *, size: int = 46
) -> Markup:
    """A square matrix of kappas.

    Args:
        title: what the map shows, for screen readers.
        annotators: the names for rows and columns.
        kappas: the kappa of each pair of them; pairs without one are shown as undefined.
        size: the size of a cell, in pixels.
    """
    left, top = 12 * max((_width(_short(name)) for name in annotators), default=2) / 2 + 14, 22
    parts = []
    for row, one in enumerate(annotators):
        y = top + row * size
        parts.append(_words(left - 8, y + size / 2 + 4, _short(one), "end"))
        parts.append(_words(left + row * size + size / 2, top - 8, _short(one), "middle"))
        for column, other in enumerate(annotators):
            x = left + column * size
            if one == other:
                parts.append(_square(x, y, size, "#f5f6f8", ""))
                continue
            found = kappas.get(frozenset((one, other)), Figure(None))
            shown = UNDEFINED if found.value is None else f"{found.value:.2f}"
            note = f"{one} × {other}：{shown}"
            if found.low is not None:
                note += f" [{found.low:.2f}, {found.high:.2f}]"
            parts.append(_square(x, y, size, _shade(found.value), note))
            ink = "#fff" if found.value is not None and abs(found.value) > 0.62 else INK
            parts.append(_words(x + size / 2, y + size / 2 + 4, shown, "middle", ink))
    return picture(title, left + len(annotators) * size + 2, top + len(annotators) * size + 2, *parts)


def _shade(value: float | None) -> str:
    """White at 0, blue towards 1, orange below 0."""
    if value is None:
        return "#fff"
    full = _WARM if value >= 0 else _COLD
    share = min(1.0, abs(value)) ** 1.5
    return "#" + "".join(f"{round(255 + (part - 255) * share):02x}" for part in full)


def _square(x: float, y: float, size: int, color: str, note: str) -> Markup:
    place = {"x": f"{x + 1:.1f}", "y": f"{y + 1:.1f}", "width": str(size - 2), "height": str(size - 2)}
    return element("rect", *tip(note), **place, rx="2", fill=color, stroke=GRID)


def _words(x: float, y: float, words: str, anchor: str, color: str = SOFT) -> Markup:
    return text(x, y, words, anchor, color, pointer_events="none")


def _short(name: str) -> str:
    return name if len(name) <= _NAME else name[: _NAME - 1] + "…"


def _width(text: str) -> int:
    """The width of ``text`` in half-width characters."""
    return sum(1 if character.isascii() else 2 for character in text)
