"""How the page writes figures."""

from __future__ import annotations

from ....base.interval import Figure

UNDEFINED = "–"


def number(figure: Figure, *, plain: bool = False) -> str:
    """A figure and, unless ``plain``, its interval; – where it is not defined."""
    if figure.value is None:
        return UNDEFINED
    return f"{figure.value:.2f}{'' if plain else _between(figure, '.2f')}"


def percent(figure: Figure) -> str:
    """A share and its interval."""
    return UNDEFINED if figure.value is None else f"{figure.value:.1%}{_between(figure, '.1%')}"


def change(figure: Figure) -> str:
    """A change of a share in points, strong where its interval leaves 0 out."""
    if figure.value is None:
        return UNDEFINED
    text = f"{100 * figure.value:+.1f}"
    if figure.low is None or figure.high is None:
        return text
    between = f" <small>[{100 * figure.low:+.1f}, {100 * figure.high:+.1f}]</small>"
    return (f"<b>{text}</b>" if figure.certain else text) + between


def seconds(value: float | None) -> str:
    """A time."""
    return UNDEFINED if value is None else f"{value:.1f}"


def _between(figure: Figure, form: str) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f" <small>[{figure.low:{form}}, {figure.high:{form}}]</small>"
