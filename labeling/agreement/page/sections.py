"""The page's sections with figures between annotators and against gold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....base.interval import Figure, Interval
from ....base.page.charts import Axis, floor_of, ruler, ticks, whisker
from ....base.page.templates import render
from ....data.labels import LabelSet
from .. import Agreement
from .heat import heat_map

if TYPE_CHECKING:
    from markupsafe import Markup


def on_labels(found: Agreement, labels: LabelSet) -> Markup:
    """Agreement of each label with intervals."""
    axis = _axis([row.alpha for row in found.labels])
    rows = [(row, _whisker(row.alpha, axis)) for row in found.labels]
    return render("labeling/agreement/page/labels.html.j2", rows=rows, ruler=ruler(axis), labels=labels)


def on_pairs(found: Agreement, labels: LabelSet) -> Markup | None:
    """Heat maps of pairwise kappas: all labels, then each."""
    if len(found.annotators) < 2:
        return None
    names = found.annotators
    pairs = {frozenset((pair.first, pair.second)): pair for pair in found.pairs}
    overall = {both: pair.kappa for both, pair in pairs.items()}
    maps = []
    for label in labels:
        kappas = {both: pair.labels[label.name] for both, pair in pairs.items()}
        maps.append((label.name, heat_map(f"两两 κ，{label.title}", names, kappas, size=38)))
    return render(
        "labeling/agreement/page/pairs.html.j2",
        everything=heat_map("两两 κ，各标签平均", names, overall, size=58 if len(names) < 8 else 40),
        maps=maps,
        pairs=sorted(found.pairs, key=lambda pair: pair.kappa.value if pair.kappa.value is not None else 2.0),
        labels=labels,
    )


def against_gold(found: Agreement, labels: LabelSet) -> Markup | None:
    """Each annotator against gold answers; None without gold."""
    if not found.gold:
        return None
    return render("labeling/agreement/page/gold.html.j2", scores=found.gold, labels=labels)


def _whisker(figure: Figure, axis: Axis) -> Markup | None:
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    return whisker(Interval(figure.value, figure.low, figure.high), axis)


def _axis(figures: list[Figure]) -> Axis:
    low = floor_of([figure.low for figure in figures if figure.low is not None])
    return Axis(low, 1, ticks(low, 1, 4))
