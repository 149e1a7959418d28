"""The page's sections on how annotators work: changes over time, speed, how far they follow proposals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....base.page.charts import DASHES, INK, PALETTE, SHAPES, Axis, Plot, dot, picture, stroke
from ....base.page.templates import render
from ....data.labels import LabelSet
from .. import Agreement
from ..drift import ANSWERS_A_WINDOW, Drift
from ..speed import CHARACTERS_A_SECOND, REACTION

if TYPE_CHECKING:
    from markupsafe import Markup

_SHARE = Axis(0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1), percent=True)


def over_time(found: Agreement, labels: LabelSet) -> Markup:
    """Agreement and label rates by time."""
    drawn = [drift for drift in found.drift if drift.windows]
    return render(
        "labeling/agreement/page/drift.html.j2",
        least=2 * ANSWERS_A_WINDOW,
        against="裁定答案" if found.gold else "其他标注员",
        rows=[(drift, _rates(drift, labels)) for drift in drawn],
        keys=[(_key(_look(number)), drift.annotator) for number, drift in enumerate(drawn)],
        agreements=_agreements(drawn) if drawn else None,
        label_keys=[(_label_key(number), label.name) for number, label in enumerate(labels)],
        labels=labels,
    )


def speed(found: Agreement) -> Markup:
    """How long answers took."""
    return render(
        "labeling/agreement/page/speed.html.j2",
        rows=found.speed,
        counts=sorted({count for row in found.speed for count in row.by_labels}),
        reaction=REACTION,
        pace=CHARACTERS_A_SECOND,
    )


def anchored(found: Agreement) -> Markup | None:
    """How far annotators followed proposals; None if there were none."""
    if not any(row.seen.answers or row.unseen.answers for row in found.anchoring.annotators):
        return None
    return render("labeling/agreement/page/anchoring.html.j2", found=found.anchoring, gold=bool(found.gold))


def _agreements(drifts: list[Drift]) -> Markup:
    longest = max(len(drift.windows) for drift in drifts)
    plot = Plot("一致率随时间变化", _segments(longest), _SHARE, 640, 260)
    for number, drift in enumerate(drifts):
        color, shape, dash = _look(number)
        points = [
            (float(place), window.agreement)
            for place, window in enumerate(drift.windows, 1)
            if window.agreement is not None
        ]
        plot.line(points, color, dash=dash)
        for (x, y), window in zip(points, (w for w in drift.windows if w.agreement is not None), strict=True):
            plot.dot(
                x, y, color, shape=shape, note=f"{drift.annotator} {window.start[:16]} 至 {window.end[:16]}：{y:.1%}"
            )
    return plot.svg()


def _rates(drift: Drift, labels: LabelSet) -> Markup:
    plot = Plot(f"{drift.annotator} 的选用率", _segments(len(drift.windows)), _SHARE, 250, 200)
    for number, label in enumerate(labels):
        points = [(float(place), window.rates[label.name]) for place, window in enumerate(drift.windows, 1)]
        plot.line(points, label.color, dash=DASHES[number % len(DASHES)])
        for x, y in points:
            plot.dot(x, y, label.color, shape=SHAPES[number % len(SHAPES)], size=3, note=f"{label.title} {y:.1%}")
    return plot.svg()


def _look(number: int) -> tuple[str, str, str]:
    """Colour, shape and dashes of an annotator's line."""
    return PALETTE[number % len(PALETTE)], SHAPES[number % len(SHAPES)], DASHES[number % len(DASHES)]


def _key(look: tuple[str, str, str]) -> Markup:
    color, shape, dash = look
    return picture("", 30, 12, stroke("M0 6H30", color, dash), dot(15, 6, color, shape))


def _label_key(number: int) -> Markup:
    shape, dash = SHAPES[number % len(SHAPES)], DASHES[number % len(DASHES)]
    return picture("", 26, 12, stroke("M0 6H26", INK, dash), dot(13, 6, INK, shape, 3))


def _segments(count: int) -> Axis:
    return Axis(0.7, count + 0.3, tuple(range(1, count + 1)), "第几段")
