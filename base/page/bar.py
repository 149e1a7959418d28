"""Stacked bars of shares, as the macro ``bar`` draws them (macros.html.j2)."""

from __future__ import annotations

from collections.abc import Iterable


def pieces(shares: Iterable[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """The segments of a bar: (look, start, width), the latter two in percent of the bar; empty shares are left out.

    Args:
        shares: for each its look (a class or a colour), its amount, and the total.
    """
    found = []
    start = 0.0
    for look, amount, whole in shares:
        width = 100 * amount / whole if whole else 0.0
        if width:
            found.append((look, start, width))
        start += width
    return found
