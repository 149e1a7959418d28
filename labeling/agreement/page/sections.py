"""The sections of the page that are figures between annotators and against gold."""

from __future__ import annotations

from html import escape

from ....base.interval import Figure, Interval
from ....base.page.charts import Axis, floor_of, ruler, ticks, whisker
from ....base.page.markup import table, tag
from ....data.labels import LabelSet
from .. import Agreement
from .heat import heat_map
from .words import UNDEFINED, number, percent


def on_labels(found: Agreement, labels: LabelSet) -> str:
    """Agreement of each label with intervals."""
    axis = _axis([row.alpha for row in found.labels])
    rows = [
        [
            tag(row.label, labels),
            str(row.chosen),
            percent(row.agreement),
            number(row.kappa),
            number(row.fleiss),
            number(row.alpha),
            _whisker(row.alpha, axis),
        ]
        for row in found.labels
    ]
    head = ["标签", "选用", "一致率", "Cohen κ", "Fleiss κ", "Krippendorff α", ruler(axis)]
    return (
        "<p>κ 与 α 扣除了碰巧一致的部分：1 为完全一致，0 相当于随意选择。通常 0.8 以上可放心使用，"
        "0.67 至 0.8 只宜得出初步结论，再低应先修订规范或重新培训（Krippendorff 的建议）。"
        f"Cohen κ 是两两计算的平均；“{UNDEFINED}”表示没有变化、无从计算。</p>{table(head, rows, kind='slices')}"
    )


def on_pairs(found: Agreement, labels: LabelSet) -> str:
    """Heat maps of pairwise kappas: all labels, then each."""
    if len(found.annotators) < 2:
        return ""
    names = found.annotators
    pairs = {frozenset((pair.first, pair.second)): pair for pair in found.pairs}
    overall = {both: pair.kappa for both, pair in pairs.items()}
    everything = heat_map("两两 κ，各标签平均", names, overall, size=58 if len(names) < 8 else 40)
    small = ""
    for label in labels:
        drawn = heat_map(
            f"两两 κ，{label.title}", names, {both: pair.labels[label.name] for both, pair in pairs.items()}, size=38
        )
        small += f"<figure><figcaption>{tag(label.name, labels)}</figcaption>{drawn}</figure>"
    rows = [
        [
            f"{escape(pair.first)} × {escape(pair.second)}",
            str(pair.sentences),
            percent(pair.exact),
            number(pair.kappa),
        ]
        for pair in sorted(found.pairs, key=lambda pair: pair.kappa.value if pair.kappa.value is not None else 2.0)
    ]
    return (
        "<p>每格是两名标注员之间的 Cohen κ；颜色越深越一致，橙色表示比碰巧还差。指针停在格上可看区间。</p>"
        f'<div class="pairs"><figure><figcaption>各标签平均</figcaption>{everything}</figure>'
        f"<div>{table(['两人', '共同句数', '整句一致', 'κ'], rows, kind='slices')}</div></div>"
        f'<h3>分标签</h3><div class="maps">{small}</div>'
    )


def against_gold(found: Agreement, labels: LabelSet) -> str:
    """Each annotator against decided answers; empty without them."""
    if not found.gold:
        return ""
    rows = [
        [escape(score.annotator), str(score.sentences), percent(score.exact), number(score.kappa)]
        + [number(score.labels[label.name].f1, plain=True) for label in labels]
        for score in found.gold
    ]
    head = ["标注员", "句数", "整句正确", "κ", *(f"{tag(label.name, labels)} F1" for label in labels)]
    details = [
        [escape(score.annotator), tag(name, labels)]
        + [number(figure) for figure in (one.kappa, one.precision, one.recall, one.f1)]
        for score in found.gold
        for name, one in score.labels.items()
    ]
    return (
        "<p>以裁定答案（含全体一致的句子）为准。精确率低是多选了，召回率低是漏选了。</p>"
        f"{table(head, rows, kind='slices')}<details><summary>逐标签的 κ、精确率、召回率、F1，附区间</summary>"
        f"{table(['标注员', '标签', 'κ', '精确率', '召回率', 'F1'], details, kind='sets')}</details>"
    )


def _whisker(figure: Figure, axis: Axis) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return UNDEFINED
    return whisker(Interval(figure.value, figure.low, figure.high), axis)


def _axis(figures: list[Figure]) -> Axis:
    low = floor_of([figure.low for figure in figures if figure.low is not None])
    return Axis(low, 1, ticks(low, 1, 4))
