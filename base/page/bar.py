"""Bars of shares that lie side by side, as the macro ``bar`` draws them (macros.html.j2)."""

from __future__ import annotations

from collections.abc import Iterable


def pieces(shares: Iterable[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Where each share stands: (look, start, width) in hundredths of the bar; shares of nothing are left out.

    Args:
        shares: of each its look (a class or a colour), how much it is, and of how much.
    """
    found = []
    start = 0.0
    for look, amount, whole in shares:
        width = 100 * amount / whole if whole else 0.0
        if width:
            found.append((look, start, width))
        start += width
    return found
