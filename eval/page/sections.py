"""The sections of the page with figures: tables and charts."""

from __future__ import annotations

from math import log2, sqrt
from typing import TYPE_CHECKING

from ...base.interval import Interval
from ...base.page import charts
from ...base.page.charts import Axis, Plot
from ...base.page.templates import render
from ..calibration import Reliability
from ..curves import PrecisionRecall
from ..evaluate import MODEL, TFIDF, Evaluation
from .words import DIMENSIONS, SYSTEMS, VALUES, certain

if TYPE_CHECKING:
    from markupsafe import Markup

FEW = 10
"""Below so many sentences of a label in a slice, its F1 means little."""
SHOWN_REPORTS = 25
_SHARE = Axis(0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1))


def labels(found: Evaluation) -> Markup:
    """Precision, recall and F1 of each label."""
    scores = found.systems[MODEL]
    axis = _axis([s.f1.low for s in scores.labels.values()])
    thresholds = found.about.decision.thresholds
    totals = (("宏平均 F1", scores.macro_f1), ("整句全对率", scores.exact_match))
    return render(
        "eval/page/labels.html.j2",
        rows=[
            (name, s, charts.whisker(s.f1, axis, _color(found, name), shape=_shape(found, name)), threshold)
            for (name, s), threshold in zip(scores.labels.items(), thresholds, strict=True)
        ],
        totals=[(title, figure, charts.whisker(figure, axis)) for title, figure in totals],
        reports=scores.reports,
        sentences=scores.sentences,
        ruler=charts.ruler(axis),
        labels=found.labels,
    )


def baselines(found: Evaluation) -> Markup | None:
    """The systems side by side, and how far the model is ahead of each; None if there is no other system."""
    if len(found.systems) == 1:
        return None
    axis = _axis([s.macro_f1.low for s in found.systems.values()])
    gaps = [c.macro_f1 for c in found.comparisons.values()]
    low, high = min(0.0, *(g.low for g in gaps)), max(0.0, *(g.high for g in gaps))
    span = Axis(low, high, charts.ticks(low, high, 4))
    systems = []
    for name, scores in found.systems.items():
        color = charts.PALETTE[0] if name == MODEL else charts.INK
        systems.append((SYSTEMS[name], scores, charts.whisker(scores.macro_f1, axis, color)))
    comparisons = []
    for name, found_here in found.comparisons.items():
        gap = found_here.macro_f1
        drawn = charts.whisker(Interval(gap.value, gap.low, gap.high), span, zero=0.0)
        comparisons.append((SYSTEMS[name], found_here, drawn, certain(gap)))
    return render(
        "eval/page/baselines.html.j2",
        systems=systems,
        ruler=charts.ruler(axis),
        comparisons=comparisons,
        difference_ruler=charts.ruler(span),
        labels=found.labels,
    )


def curves(found: Evaluation) -> Markup:
    """Precision against recall, one panel per label."""
    rival = found.curves.get(TFIDF, {})
    panels = []
    for name in found.labels.names:
        curve, other = found.curves[MODEL][name], rival.get(name)
        panels.append((name, curve, other, _curve(found, name, curve, other) if curve else None))
    keys = [
        (charts.sample(charts.PALETTE[0]), "本模型（用标签的颜色）"),
        (charts.sample(charts.INK, shape="diamond"), "所用阈值处"),
    ]
    if rival:
        keys.append((charts.sample(charts.SOFT, dash="4 3"), SYSTEMS[TFIDF]))
    return render("eval/page/curves.html.j2", panels=panels, keys=keys, labels=found.labels)


def _curve(found: Evaluation, name: str, curve: PrecisionRecall, other: PrecisionRecall | None) -> Markup:
    plot = Plot("精确率—召回率曲线", _titled(_SHARE, "召回率"), _titled(_SHARE, "精确率"))
    if other is not None:
        plot.line(_steps(other), charts.SOFT, dash="4 3", width=1.5)
    plot.line(_steps(curve), _color(found, name), width=2.4)
    at = found.systems[MODEL].labels[name]
    note = f"阈值处：精确率 {at.precision.value:.3f}，召回率 {at.recall.value:.3f}"
    plot.dot(at.recall.value, at.precision.value, charts.INK, shape="diamond", size=4.5, note=note)
    return plot.svg()


def _steps(curve: PrecisionRecall) -> list[tuple[float, float]]:
    return [(0.0, curve.precision[0]), *zip(curve.recall, curve.precision, strict=True)]


def calibration(found: Evaluation) -> Markup:
    """Reliability diagrams, one panel per label."""
    panels = [
        (name, reliability.error, _reliability(reliability, _color(found, name)))
        for name, reliability in found.reliability.items()
    ]
    return render("eval/page/calibration.html.j2", panels=panels, interval=len(found.docs) > 1, labels=found.labels)


def _reliability(found: Reliability, color: str) -> Markup:
    plot = Plot("可靠性图", _titled(_SHARE, "模型给出的概率"), _titled(_SHARE, "真有该标签的比例"))
    most = max(b.count for b in found.bins) or 1
    for b in found.bins:
        if b.count:
            plot.bar(b.low, b.high, 0.22 * sqrt(b.count / most), color)
    plot.line([(0, 0), (1, 1)], charts.SOFT, dash="4 3", width=1.3)
    filled = [
        (b, b.probability, b.frequency) for b in found.bins if b.probability is not None and b.frequency is not None
    ]
    plot.line([(p, f) for _, p, f in filled], color, width=1.6)
    for b, probability, frequency in filled:
        size = 3 + 4 * sqrt(b.count / most)
        plot.dot(
            probability, frequency, color, size=size, note=f"{b.count} 句：概率 {probability:.2f}，实际 {frequency:.2f}"
        )
    return plot.svg()


def confused(found: Evaluation) -> Markup:
    """The multi-label confusion matrix, and the most frequent wrong label sets."""
    rows = []
    for i, (name, row) in enumerate(zip((*found.labels.names, ""), found.confusion.matrix, strict=True)):
        total = sum(row) or 1
        rows.append((name, [_heat(count, count / total, right=i == j) for j, count in enumerate(row)]))
    return render(
        "eval/page/confusion.html.j2",
        rows=rows,
        wrong=found.confusion.sets[:10],
        rest=sum(count for *_, count in found.confusion.sets[10:]),
        labels=found.labels,
    )


def _heat(count: int, share: float, *, right: bool) -> tuple[int, float, str, float]:
    """A cell: its count, its share of the row, and its colour's name and strength."""
    return count, share, "for" if right else "against", 0.08 + (0.3 if right else 0.6) * share


def review(found: Evaluation) -> Markup:
    """Macro-F1 of the sentences not marked for review, against the share that people review."""
    curve, total = found.review.curve, found.systems[MODEL].sentences
    low = charts.floor_of([point.rest for point in curve], 0.9)
    last = curve[-1].share
    x = Axis(0, last, charts.ticks(0, last, 5), "复核的句子所占比例", percent=True)
    plot = Plot("复核比例与宏平均 F1", x, Axis(low, 1, charts.ticks(low, 1), "宏平均 F1"), 500, 270)
    plot.line([(p.share, p.corrected) for p in curve], charts.PALETTE[2], dash="7 4")
    plot.line([(p.share, p.rest) for p in curve], charts.PALETTE[0], width=2.6)
    keys = [
        (charts.sample(charts.PALETTE[0]), "其余（未复核）的句子"),
        (charts.sample(charts.PALETTE[2], dash="7 4"), "全部句子，复核的都改正"),
    ]
    rest = found.review.rest if found.review.flagged else None
    share = found.review.flagged / total
    if rest:
        plot.dot(share, rest.macro_f1.value, charts.INK, shape="diamond", size=5, note=f"模型标记：{share:.1%}")
        plot.text(share, rest.macro_f1.value, f"模型的复核线 {share:.1%}", shift=(8, 18))
        keys.append((charts.sample(charts.INK, shape="diamond"), "模型的复核线"))
    return render(
        "eval/page/review.html.j2",
        found=found.review,
        rest=rest,
        share=share,
        drawn=plot.svg(),
        keys=keys,
        points=[(p, round(p.share * total)) for p in curve if round(100 * p.share) in (0, 5, 10, 20, 30)],
    )


def sliced(found: Evaluation) -> Markup:
    """Scores for parts of the data."""
    parts = []
    for dimension, values in found.slices.items():
        shown = list(values.items())
        if each := dimension == "report":
            shown = sorted(shown, key=lambda item: item[1].exact_match.value)[:SHOWN_REPORTS]
        axis = _axis([s.exact_match.low for _, s in shown])
        rows = [
            (value if each else VALUES.get(value, value), s, charts.whisker(s.exact_match, axis, width=150))
            for value, s in shown
        ]
        parts.append(
            {
                "title": DIMENSIONS[dimension],
                "each": each,
                "ruler": charts.ruler(axis, 150),
                "rows": rows,
                "more": len(values) - len(shown),
            }
        )
    return render("eval/page/slices.html.j2", parts=parts, few=FEW, labels=found.labels)


def learning(found: Evaluation) -> Markup | None:
    """Macro-F1 of the baselines by the number of training reports; None if not measured."""
    if not found.learning:
        return None
    counts = sorted({p.reports for p in found.learning})
    trained = len(found.about.origin.get("data", {}).get("training", ()))
    model = found.systems[MODEL].macro_f1.value
    values = [p.macro_f1 for p in found.learning]
    low = charts.floor_of(values)
    last = max(counts[-1], trained)
    x = Axis(
        log2(counts[0]) - 0.15,
        log2(last) + 0.15,
        tuple(map(log2, counts)),
        "训练报告份数",
        names=tuple(map(str, counts)),
    )
    plot = Plot("学习曲线", x, Axis(low, 1, charts.ticks(low, 1), "宏平均 F1"), 640, 320)
    keys = []
    for number, system in enumerate(dict.fromkeys(p.system for p in found.learning)):
        color, dash = charts.PALETTE[(number + 1) % 6], charts.DASHES[number % 6]
        shape = charts.SHAPES[number % 6]
        groups = [(n, [p.macro_f1 for p in found.learning if (p.system, p.reports) == (system, n)]) for n in counts]
        means = [(log2(n), sum(group) / len(group)) for n, group in groups]
        plot.band([(log2(n), min(group), max(group)) for n, group in groups], color)
        plot.line(means, color, dash=dash)
        for place, mean in means:
            plot.dot(place, mean, color, shape=shape, note=f"{mean:.3f}")
        keys.append((charts.sample(color, shape=shape, dash=dash), SYSTEMS[system]))
    if trained:
        plot.dot(log2(max(counts[0], trained)), model, charts.PALETTE[0], shape="circle", size=6, note=f"{model:.3f}")
        plot.text(log2(max(counts[0], trained)), model, f"本模型 {model:.3f}", anchor="end", shift=(-11, 5))
    return render("eval/page/learning.html.j2", keys=keys, drawn=plot.svg())


def _axis(lows: list[float]) -> Axis:
    low = charts.floor_of(lows)
    return Axis(low, 1, charts.ticks(low, 1, 4))


def _titled(axis: Axis, title: str) -> Axis:
    return Axis(axis.low, axis.high, axis.ticks, title)


def _color(found: Evaluation, name: str) -> str:
    return next(label.color for label in found.labels if label.name == name)


def _shape(found: Evaluation, name: str) -> str:
    return charts.SHAPES[found.labels.names.index(name) % 4]
