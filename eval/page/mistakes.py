"""The worst errors on the page: each in its context, with the decisive words and similar training sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...base.page import charts
from ...base.page.svg import element
from ...base.page.templates import render
from ..attribution import Attribution, Word
from ..evaluate import Evaluation
from ..mistakes import Mistake

if TYPE_CHECKING:
    from markupsafe import Markup

_STRONG = 0.5
"""Share of the strongest word's weight from which a word is underlined, so that prints without colour show it."""
_FAINT = 0.06
"""Share below which a word is not coloured."""


class _Piece(NamedTuple):
    """Coloured words: their class, the strength of the colour, and their weight; without strength, no colour."""

    kind: str
    strength: float | None
    value: float
    text: str


def errors(found: Evaluation) -> Markup | None:
    """The section; None if no errors were requested."""
    if not found.mistakes:
        return None
    return render(
        "eval/page/errors.html.j2",
        errors=[_error(mistake, found) for mistake in found.mistakes],
        explained=any(m.attribution for m in found.mistakes),
        wrong=found.review.wrong,
        labels=found.labels,
    )


def _error(
    mistake: Mistake, found: Evaluation
) -> tuple[Mistake, list[tuple[str, list[_Piece], tuple[str, ...]]], list[_Piece], list[tuple[str, float, Markup]]]:
    """The mistake; its context, line by line (class, words, labels); the headings' words; the probabilities."""
    words = mistake.attribution.words if mistake.attribution else {}
    most = _most(mistake.attribution)
    around = {n.place: n for n in (*mistake.before, *mistake.after)}
    lines = []
    for place in sorted([*around, mistake.place]):
        neighbour = around.get(place)
        text = neighbour.text if neighbour else mistake.text
        pieces = _pieces(words[place], most) if place in words else [_Piece("", None, 0.0, text)]
        kind = "own" if neighbour is None else "heading" if neighbour.kind == "heading" else ""
        lines.append((kind, pieces, () if neighbour is None or kind else neighbour.labels or ()))
    path = _pieces(mistake.attribution.path, most) if mistake.attribution else []
    return mistake, lines, path, _probabilities(mistake, found)


def _most(attribution: Attribution | None) -> float:
    if attribution is None:
        return 1.0
    words = [*attribution.path, *(word for group in attribution.words.values() for word in group)]
    return max((abs(word.value) for word in words), default=0.0) or 1.0


def _pieces(words: Sequence[Word], most: float) -> list[_Piece]:
    pieces = []
    for word in words:
        share = abs(word.value) / most
        kind = ("" if word.value > 0 else " against") + (" strong" if share >= _STRONG else "")
        pieces.append(_Piece(kind, None if share < _FAINT else 0.5 * share, word.value, word.text))
    return pieces


def _probabilities(mistake: Mistake, found: Evaluation) -> list[tuple[str, float, Markup]]:
    """Each label's probability, and a bar of it with the threshold."""
    rows = []
    for label, threshold in zip(found.labels, found.about.decision.thresholds, strict=True):
        probability = mistake.probabilities[label.name]
        parts = [
            charts.rectangle(0, 3, 84, 9, fill=charts.GRID),
            charts.rectangle(0, 3, 84 * probability, 9, fill=label.color),
            element("path", d=f"M{84 * threshold:.1f} 0v15", stroke=charts.INK, stroke_width="1.5"),
        ]
        picture = charts.picture(f"{probability:.0%}，阈值 {threshold:g}", 86, 15, *parts)
        rows.append((label.name, probability, picture))
    return rows
