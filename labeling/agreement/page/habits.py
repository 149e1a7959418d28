"""The sections of the page on how annotators work: over time, how fast, how far they follow proposals."""

from __future__ import annotations

from html import escape

from ....base.page.charts import DASHES, INK, PALETTE, SHAPES, Axis, Plot, dot, picture
from ....base.page.markup import table, tag
from ....data.labels import LabelSet
from .. import Agreement
from ..anchoring import Followed
from ..drift import ANSWERS_A_WINDOW, Drift
from ..speed import CHARACTERS_A_SECOND, REACTION
from .words import UNDEFINED, change, percent, seconds

_SHARE = Axis(0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1), percent=True)


def over_time(found: Agreement, labels: LabelSet) -> str:
    """Agreement and label rates by time."""
    drawn = [drift for drift in found.drift if drift.windows]
    if not drawn:
        return f"<p>带时间的答案不足：每名标注员至少要 {2 * ANSWERS_A_WINDOW} 条，才能分段比较。</p>"
    against = "裁定答案" if found.gold else "其他标注员"
    rows = [
        [escape(drift.annotator), change(drift.agreement), *(change(drift.rates[label.name]) for label in labels)]
        for drift in drawn
    ]
    head = ["标注员", f"与{against}一致率", *(f"{tag(label.name, labels)}选用率" for label in labels)]
    panels = "".join(
        f"<figure><figcaption><b>{escape(drift.annotator)}</b></figcaption>{_rates(drift, labels)}</figure>"
        for drift in drawn
    )
    keys = "".join(
        f'<span class="key">{_key(number)}{tag(label.name, labels)}</span>' for number, label in enumerate(labels)
    )
    return (
        f"<p>按时间把每人的答案分成句数相等的几段。下表是最后三分之一减最初三分之一，单位为百分点；"
        f"选用率先减去{against}在同一批句子上的选用率，因此报告本身的差别不算漂移。"
        "<b>加粗</b>的变化，其 95% 区间不含 0。</p>"
        f"{table(head, rows)}<h3>与{against}整句一致的比例</h3>{_agreements(drawn)}"
        f'<h3>各标签选用率</h3><div class="keys">{keys}</div><div class="panels">{panels}</div>'
    )


def speed(found: Agreement) -> str:
    """How long answers took."""
    counts = sorted({count for row in found.speed for count in row.by_labels})
    rows = [
        [escape(row.annotator), str(row.timed), seconds(row.median)]
        + [seconds(row.by_labels.get(count)) for count in counts]
        + [
            UNDEFINED if row.length is None else f"{row.length:g}",
            f"{row.hasty}（{row.hasty / row.timed:.1%}）" if row.timed else UNDEFINED,
        ]
        for row in found.speed
    ]
    head = ["标注员", "计时答案", "中位用时（秒）"]
    head += ["无标签" if count == 0 else f"{count} 个标签" for count in counts] + ["句长中位（字）", "快得来不及读"]
    return (
        f"<p>用时由浏览器记录。“快得来不及读”指用时少于 {REACTION:g} 秒加上每秒 {CHARACTERS_A_SECOND:g} 字的阅读时间"
        "（约为常人默读速度的三倍）；偶有几句不足为怪，比例高的应当抽查。</p>"
        f"{table(head, rows)}"
    )


def anchored(found: Agreement) -> str:
    """How far proposals were followed; empty where there were none."""
    rows = found.anchoring.annotators
    if not any(row.seen.answers or row.unseen.answers for row in rows):
        return ""
    cells = [
        [escape(row.annotator), _followed(row.seen), _followed(row.unseen)]
        + ([_followed(row.wrong_seen), _followed(row.wrong_unseen)] if row.wrong_seen and row.wrong_unseen else [])
        for row in rows
    ]
    head = ["标注员", "看着预标注：未改动", "盲标：与预标注相同"]
    if found.gold:
        head += ["预标注错：照用", "预标注错：盲标同错"]
    both, neither = found.anchoring.pairs_seen, found.anchoring.pairs_unseen
    said = ""
    if both.answers and neither.answers:
        said = (
            f"<p>两人都从预标注出发时，整句一致 {percent(both.share)}（{both.answers} 对）；"
            f"都未看预标注时 {percent(neither.share)}（{neither.answers} 对）。"
            "前者若明显更高，说明一致有一部分来自预标注，而不是来自共同的理解。</p>"
        )
    return (
        "<p>看着预标注作答，答案会向它靠拢。看着时未改动的比例远高于盲标时碰巧相同的比例，或错误的预标注常被照用，就应当让一部分句子盲标。</p>"
        f"{table(head, cells, kind='slices')}{said}"
    )


def _agreements(drifts: list[Drift]) -> str:
    longest = max(len(drift.windows) for drift in drifts)
    plot = Plot("一致率随时间变化", _segments(longest), _SHARE, 640, 260)
    keys = []
    for number, drift in enumerate(drifts):
        color, shape = PALETTE[number % len(PALETTE)], SHAPES[number % len(SHAPES)]
        dash = DASHES[number % len(DASHES)]
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
        mark = f'<path d="M0 6H30" stroke="{color}" stroke-width="2" stroke-dasharray="{dash}"/>'
        mark += dot(15, 6, color, shape)
        keys.append(f'<span class="key">{picture("", 30, 12, mark)}{escape(drift.annotator)}</span>')
    return f'<div class="keys">{"".join(keys)}</div><figure class="wide">{plot.svg()}</figure>'


def _rates(drift: Drift, labels: LabelSet) -> str:
    plot = Plot(f"{drift.annotator} 的选用率", _segments(len(drift.windows)), _SHARE, 250, 200)
    for number, label in enumerate(labels):
        points = [(float(place), window.rates[label.name]) for place, window in enumerate(drift.windows, 1)]
        plot.line(points, label.color, dash=DASHES[number % len(DASHES)])
        for x, y in points:
            plot.dot(x, y, label.color, shape=SHAPES[number % len(SHAPES)], size=3, note=f"{label.title} {y:.1%}")
    return plot.svg()


def _key(number: int) -> str:
    mark = f'<path d="M0 6H26" stroke="{INK}" stroke-width="2" stroke-dasharray="{DASHES[number % len(DASHES)]}"/>'
    return picture("", 26, 12, mark + dot(13, 6, INK, SHAPES[number % len(SHAPES)], 3))


def _segments(count: int) -> Axis:
    return Axis(0.7, count + 0.3, tuple(range(1, count + 1)), "第几段")


def _followed(followed: Followed) -> str:
    if not followed.answers:
        return UNDEFINED
    return f"{percent(followed.share)} <small>共 {followed.answers} 条</small>"
