"""The sections of the page that are figures: tables and charts."""

from __future__ import annotations

from html import escape
from math import log2, sqrt

from ...base.interval import Interval
from ...base.page import charts
from ...base.page.charts import Axis, Plot
from ...base.page.markup import table, tag, tags
from ..calibration import Reliability
from ..curves import PrecisionRecall
from ..evaluate import MODEL, TFIDF, Evaluation
from ..metrics import Scores
from .words import (
    DIMENSIONS,
    SYSTEMS,
    VALUES,
    certain,
    difference,
    p_value,
    score,
    with_interval,
)

FEW = 10
"""Sentences of a label in a slice below which its F1 says little."""
SHOWN_REPORTS = 25
_SHARE = Axis(0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1))


def labels(found: Evaluation) -> str:
    """Precision, recall and F1 of each label."""
    scores = found.systems[MODEL]
    axis = _axis([s.f1.low for s in scores.labels.values()])
    rows = [
        [
            tag(name, found.labels),
            with_interval(s.precision, scores.reports),
            with_interval(s.recall, scores.reports),
            with_interval(s.f1, scores.reports),
            charts.whisker(s.f1, axis, _color(found, name), shape=_shape(found, name)),
            str(s.support),
            f"{threshold:g}",
        ]
        for (name, s), threshold in zip(scores.labels.items(), found.about.decision.thresholds, strict=True)
    ]
    for title, figure in (("宏平均 F1", scores.macro_f1), ("整句全对率", scores.exact_match)):
        rows.append(
            [
                title,
                "",
                "",
                with_interval(figure, scores.reports),
                charts.whisker(figure, axis),
                str(scores.sentences),
                "",
            ]
        )
    head = ["标签", "精确率", "召回率", "F1", charts.ruler(axis), "句数", "阈值"]
    return (
        "<p>精确率：给出的标签有多少是对的；召回率：应有的标签找到了多少；F1 是两者的调和平均。"
        "方括号内为 95% 区间。</p>" + table(head, rows)
    )


def baselines(found: Evaluation) -> str:
    """The systems side by side, and how far the model is ahead of each."""
    if len(found.systems) == 1:
        return ""
    axis = _axis([s.macro_f1.low for s in found.systems.values()])
    rows = [
        [
            SYSTEMS[name],
            with_interval(s.macro_f1, s.reports),
            charts.whisker(s.macro_f1, axis, charts.PALETTE[0] if name == MODEL else charts.INK),
            *(score(label.f1.value) for label in s.labels.values()),
            f"{s.exact_match.value:.1%}",
        ]
        for name, s in found.systems.items()
    ]
    head = ["系统", "宏平均 F1", charts.ruler(axis), *(tag(n, found.labels) for n in found.labels.names), "整句全对率"]
    gaps = [c.macro_f1 for c in found.comparisons.values()]
    low, high = min(0.0, *(g.low for g in gaps)), max(0.0, *(g.high for g in gaps))
    span = Axis(low, high, charts.ticks(low, high, 4))
    ahead = [
        [
            SYSTEMS[name],
            difference(c.macro_f1),
            charts.whisker(Interval(c.macro_f1.value, c.macro_f1.low, c.macro_f1.high), span, zero=0.0),
            p_value(c.macro_f1.p),
            f"{c.exact_match.value:+.1%}",
            p_value(c.exact_match.p),
            _verdict(certain(c.macro_f1), c.macro_f1.value),
        ]
        for name, c in found.comparisons.items()
    ]
    head_ahead = ["本模型与之相比", "宏平均 F1 之差", charts.ruler(span), "p", "全对率之差", "p", "判断"]
    return (
        "<p>各系统答同样的句子；能学习的基线用训练报告学习，没有见过评测报告。标签列为各标签的 F1。</p>"
        + table(head, rows, ours=0)
        + "<h3>差异是否可信</h3><p>配对比较：两个系统在同样重抽的报告上相减得区间，p 值由配对置换检验得出。</p>"
        + table(head_ahead, ahead)
    )


def _verdict(sure: bool, value: float) -> str:
    return ("本模型更好" if value > 0 else "基线更好") if sure else "不能断定"


def curves(found: Evaluation) -> str:
    """Precision against recall, a panel a label."""
    rival = found.curves.get(TFIDF, {})
    panels = []
    for name in found.labels.names:
        curve = found.curves[MODEL][name]
        if curve is None:
            panels.append(
                f"<figure><figcaption><b>{tag(name, found.labels)}</b><br>数据中没有这个标签</figcaption></figure>"
            )
            continue
        plot = Plot("精确率—召回率曲线", _titled(_SHARE, "召回率"), _titled(_SHARE, "精确率"))
        other = rival.get(name)
        if other is not None:
            plot.line(_steps(other), charts.SOFT, dash="4 3", width=1.5)
        plot.line(_steps(curve), _color(found, name), width=2.4)
        at = found.systems[MODEL].labels[name]
        note = f"阈值处：精确率 {at.precision.value:.3f}，召回率 {at.recall.value:.3f}"
        plot.dot(at.recall.value, at.precision.value, charts.INK, shape="diamond", size=4.5, note=note)
        beside = f"，基线 {other.average:.3f}" if other is not None else ""
        caption = f"<b>{tag(name, found.labels)}</b><br>平均精确率 {curve.average:.3f}{beside}"
        panels.append(f"<figure><figcaption>{caption}</figcaption>{plot.svg()}</figure>")
    keys = charts.key(charts.PALETTE[0], "本模型（用标签的颜色）") + charts.key(
        charts.INK, "所用阈值处", shape="diamond"
    )
    if rival:
        keys += charts.key(charts.SOFT, SYSTEMS[TFIDF], dash="4 3")
    return (
        "<p>阈值从严到宽，召回率上升，精确率下降；曲线越贴近右上角越好。</p>"
        f'<div class="keys">{keys}</div><div class="panels">{"".join(panels)}</div>'
    )


def _steps(curve: PrecisionRecall) -> list[tuple[float, float]]:
    return [(0.0, curve.precision[0]), *zip(curve.recall, curve.precision, strict=True)]


def calibration(found: Evaluation) -> str:
    """Reliability diagrams, a panel a label."""
    panels = []
    for name, reliability in found.reliability.items():
        error = reliability.error
        between = f" [{error.low:.3f}, {error.high:.3f}]" if len(found.docs) > 1 else ""
        caption = f"<b>{tag(name, found.labels)}</b><br>校准误差 {error.value:.3f}{between}"
        panels.append(
            f"<figure><figcaption>{caption}</figcaption>{_reliability(reliability, _color(found, name))}</figure>"
        )
    return (
        "<p>模型说“八成把握”的句子里，是否真有八成带有该标签？点在斜线上最好，在线上方是把握说小了，下方是说大了。"
        "点的大小和底部浅色柱表示句数（平方根刻度）。校准误差是点到斜线的距离按句数加权的平均；句数少时会偏大。</p>"
        f'<div class="panels">{"".join(panels)}</div>'
    )


def _reliability(found: Reliability, color: str) -> str:
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


def confused(found: Evaluation) -> str:
    """The multi-label confusion matrix, and the commonest wrong label sets."""
    matrix = found.confusion.matrix
    names = [tag(name, found.labels) for name in found.labels.names]
    rows = []
    for i, row in enumerate(matrix):
        total = sum(row) or 1
        cells = [_heat(count, count / total, right=i == j) for j, count in enumerate(row)]
        rows.append([names[i] if i < len(names) else "没有漏标", *cells])
    wrong = [
        [tags(true, found.labels), "→", tags(given, found.labels), str(count)]
        for true, given, count in found.confusion.sets[:10]
    ]
    rest = sum(count for *_, count in found.confusion.sets[10:])
    commonest = (
        table(["真实", "", "给出", "句数"], wrong, kind="sets") if wrong else '<p class="note">没有标错的句子。</p>'
    )
    return (
        "<p>行是真实的标签，列是模型给出的。对角线是给对的次数；其他格子是漏了行的标签、却给了列的标签；"
        "最后一列是漏了而没有给别的，最后一行是没有漏、多给了列的标签；右下角是本无标签也没有给的句子。颜色按行的比例。</p>"
        f'<div class="beside"><div>{table(["真实 ＼ 给出", *names, "没有给"], rows, kind="matrix")}</div>'
        f"<div><b>最常见的错法</b>{commonest}"
        + (f'<p class="note">其余错法共 {rest} 句。</p>' if rest else "")
        + "</div></div>"
    )


def _heat(count: int, share: float, *, right: bool) -> str:
    if not count:
        return '<span class="zero">0</span>'
    tint = "var(--for)" if right else "var(--against)"
    alpha = 0.08 + (0.3 if right else 0.6) * share
    return (
        f'<span style="display:block;margin:-.55rem -.3rem;padding:.55rem .3rem;background:rgba({tint},{alpha:.2f})">'
        f"<b>{count}</b><br><small>{share:.1%}</small></span>"
    )


def review(found: Evaluation) -> str:
    """Macro-F1 of the unflagged against the share that people review."""
    curve, total = found.review.curve, found.systems[MODEL].sentences
    low = charts.floor_of([point.rest for point in curve], 0.9)
    last = curve[-1].share
    x = Axis(0, last, charts.ticks(0, last, 5), "复核的句子所占比例", percent=True)
    plot = Plot("复核比例与宏平均 F1", x, Axis(low, 1, charts.ticks(low, 1), "宏平均 F1"), 500, 270)
    plot.line([(p.share, p.corrected) for p in curve], charts.PALETTE[2], dash="7 4")
    plot.line([(p.share, p.rest) for p in curve], charts.PALETTE[0], width=2.6)
    keys = charts.key(charts.PALETTE[0], "其余（未复核）的句子") + charts.key(
        charts.PALETTE[2], "全部句子，复核的都改正", dash="7 4"
    )
    flagged, rest = found.review.flagged, found.review.rest
    if flagged and rest:
        share = flagged / total
        plot.dot(share, rest.macro_f1.value, charts.INK, shape="diamond", size=5, note=f"模型标记：{share:.1%}")
        plot.text(share, rest.macro_f1.value, f"模型的复核线 {share:.1%}", shift=(8, 18))
        keys += charts.key(charts.INK, "模型的复核线", shape="diamond")
        said = (
            f"模型把 {flagged} 句（{share:.1%}）标为需要复核，其中 {found.review.flagged_wrong} 句确实有错；全部 "
            f"{found.review.wrong} 句错误中它找出了 {found.review.flagged_wrong / max(1, found.review.wrong):.0%}。"
            f"未标记的句子宏平均 F1 {with_interval(rest.macro_f1, rest.reports)}，"
            f"整句全对率 {rest.exact_match.value:.1%}。"
        )
    else:
        said = "这个模型没有设复核线（没有标记任何句子）；下图按把握从小到大复核时的效果。"
    shares = [p for p in curve if round(100 * p.share) in (0, 5, 10, 20, 30)]
    rows = [[f"{p.share:.0%}", str(round(p.share * total)), score(p.rest), score(p.corrected)] for p in shares]
    return (
        f"<p>{said}</p>"
        f'<div class="beside"><figure><div class="keys">{keys}</div>{plot.svg()}</figure>'
        f"<div>{table(['复核比例', '句数', '其余句子', '改正后全部'], rows)}</div></div>"
    )


def sliced(found: Evaluation) -> str:
    """Scores of parts of the data."""
    html = [
        "<p>图示为整句全对率及其 95% 区间（只有一份报告的组没有区间）。标签列为 F1，括号内是该组中有此标签的句数，"
        f"不足 {FEW} 句的以浅色显示，仅供参考。</p>"
    ]
    for dimension, values in found.slices.items():
        shown = list(values.items())
        if each := dimension == "report":
            shown = sorted(shown, key=lambda item: item[1].exact_match.value)[:SHOWN_REPORTS]
        axis = _axis([s.exact_match.low for _, s in shown])
        head = ["", "句数", *([] if each else ["报告数"]), "整句全对率", charts.ruler(axis, 150), "宏平均 F1"]
        rows = [
            [
                escape(value if each else VALUES.get(value, value)),
                str(s.sentences),
                *([] if each else [str(s.reports)]),
                f"{s.exact_match.value:.1%}",
                charts.whisker(s.exact_match, axis, width=150),
                score(s.macro_f1.value) if s.labels else "—",
                *(_label_cell(s, name) for name in found.labels.names),
            ]
            for value, s in shown
        ]
        html.append(f"<h3>{DIMENSIONS[dimension]}</h3>")
        html.append(table([*head, *(tag(n, found.labels) for n in found.labels.names)], rows, kind="slices"))
        if more := len(values) - len(shown):
            html.append(f'<p class="note">全对率最低的 {len(shown)} 份；其余 {more} 份见 evaluation.json。</p>')
    return "".join(html)


def _label_cell(scores: Scores, name: str) -> str:
    label = scores.labels.get(name)
    if label is None:
        return '<span class="few">—</span>'
    cell = f"{label.f1.value:.3f} <small>({label.support})</small>"
    return cell if label.support >= FEW else f'<span class="few">{cell}</span>'


def learning(found: Evaluation) -> str:
    """Macro-F1 of the cheap systems by the number of training reports."""
    if not found.learning:
        return ""
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
        keys.append(charts.key(color, SYSTEMS[system], shape=shape, dash=dash))
    if trained:
        plot.dot(log2(max(counts[0], trained)), model, charts.PALETTE[0], shape="circle", size=6, note=f"{model:.3f}")
        plot.text(log2(max(counts[0], trained)), model, f"本模型 {model:.3f}", anchor="end", shift=(-11, 5))
    return (
        "<p>基线用越来越多的训练报告学习时的得分（横轴每格翻倍）：线是几次随机抽取的平均，浅色带是最低到最高。"
        "线还在上升，说明多标一些报告仍有用。</p>"
        f'<figure><div class="keys">{"".join(keys)}</div>{plot.svg()}</figure>'
    )


def _axis(lows: list[float]) -> Axis:
    low = charts.floor_of(lows)
    return Axis(low, 1, charts.ticks(low, 1, 4))


def _titled(axis: Axis, title: str) -> Axis:
    return Axis(axis.low, axis.high, axis.ticks, title)


def _color(found: Evaluation, name: str) -> str:
    return next(label.color for label in found.labels if label.name == name)


def _shape(found: Evaluation, name: str) -> str:
    return charts.SHAPES[found.labels.names.index(name) % 4]
