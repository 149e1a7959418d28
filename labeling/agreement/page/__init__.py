"""The agreement report: one self-contained HTML page, in Chinese, that opens offline."""

from __future__ import annotations

from datetime import date
from html import escape
from itertools import groupby

from ....base.page import assemble
from ....base.page.markup import tag, tags
from ....data.labels import LabelSet
from .. import Agreement
from ..contested import Contested
from . import habits, sections
from .words import UNDEFINED, percent

SHOWN = 30
"""Contested sentences on the page."""

_STYLE = """
.maps { display: flex; flex-wrap: wrap; gap: 1.2rem 2.4rem }
figure.wide > svg { width: 100%; max-width: 760px }
details { margin-top: 1rem } summary { cursor: pointer; color: var(--soft) }
.who { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; margin: .5rem 0 0; padding: 0;
  font-size: .9rem }
.pairs { display: flex; flex-wrap: wrap; gap: 1rem 2.4rem } .pairs > div { flex: 1; min-width: 24rem }
.scroll + p { margin-top: 1rem }
.who b { font-weight: 600 }
"""


def page(found: Agreement, labels: LabelSet, *, data: str, made: date | None = None) -> str:
    """The page of an agreement.

    Text from reports and names are escaped everywhere: they are data, never markup.

    Args:
        data: what was measured, in words.
        made: the day; None leaves it out.
    """
    parts = [
        ("summary", "结论", _findings(found, labels)),
        ("labels", "各标签的一致程度", sections.on_labels(found, labels)),
        ("pairs", "标注员两两比较", sections.on_pairs(found, labels)),
        ("gold", "与裁定答案比较", sections.against_gold(found, labels)),
        ("drift", "随时间的变化", habits.over_time(found, labels)),
        ("speed", "速度", habits.speed(found)),
        ("anchoring", "预标注的影响", habits.anchored(found)),
        ("contested", "争议最大的句子", _contested(found, labels)),
        ("notes", "说明", _notes(found)),
    ]
    about = f"{escape(data)}{f' · {made.isoformat()}' if made else ''}"
    return assemble("标注一致性报告", about, _tiles(found), parts, style=_STYLE)


def _tiles(found: Agreement) -> list[tuple[str, str, str]]:
    alphas = {row.label: row.alpha.value for row in found.labels if row.alpha.value is not None}
    mean = f"{sum(alphas.values()) / len(alphas):.2f}" if alphas else UNDEFINED
    share = len(found.contested) / found.sentences
    return [
        ("Krippendorff α（各标签平均）", mean, f"最低 {min(alphas.values()):.2f}" if alphas else "没有变化，无从计算"),
        ("整句一致", f"{found.exact.value or 0:.1%}", "成对答案中标签全同的比例"),
        ("有争议的句子", str(len(found.contested)), f"占共同标注句子的 {share:.1%}"),
        ("标注员", str(len(found.annotators)), f"{found.sentences} 句有两人以上作答，{found.reports} 份报告"),
    ]


def _findings(found: Agreement, labels: LabelSet) -> str:
    said = []
    known = [row for row in found.labels if row.alpha.value is not None]
    if known:
        worst = min(known, key=lambda row: row.alpha.value or 0.0)
        advice = "，应先修订规范中这一条" if (worst.alpha.value or 0.0) < 0.67 else ""
        said.append(f"最不一致的标签是{tag(worst.label, labels)}，α 为 {worst.alpha.value:.2f}{advice}。")
    pairs = [pair for pair in found.pairs if pair.kappa.value is not None]
    if len(pairs) > 1:
        apart = min(pairs, key=lambda pair: pair.kappa.value or 0.0)
        said.append(
            f"分歧最大的是 {escape(apart.first)} 与 {escape(apart.second)}：κ 为 {apart.kappa.value:.2f}，"
            f"整句一致 {percent(apart.exact)}。"
        )
    moved = [drift for drift in found.drift if drift.agreement.certain and (drift.agreement.value or 0.0) < 0]
    said += [
        f"{escape(drift.annotator)} 的一致率后期比前期低 {-100 * (drift.agreement.value or 0.0):.0f} 个百分点。"
        for drift in moved
    ]
    said += [
        f"{escape(row.annotator)} 有 {row.hasty / row.timed:.0%} 的答案快得来不及读完句子。"
        for row in found.speed
        if row.timed and row.hasty / row.timed > 0.05
    ]
    for row in found.anchoring.annotators:
        wrong = row.wrong_seen
        if wrong and wrong.answers >= 10 and (wrong.share.value or 0.0) > 0.5:
            said.append(f"预标注有误时，{escape(row.annotator)} 有 {wrong.share.value:.0%} 照用了错误的标签。")
    if not said:
        said.append("没有发现需要处理的问题。")
    return '<ul class="findings">' + "".join(f"<li>{line}</li>" for line in said) + "</ul>"


def _contested(found: Agreement, labels: LabelSet) -> str:
    if not found.contested:
        return "<p>没有：凡有两人以上作答的句子，答案都一致。</p>"
    shown = found.contested[:SHOWN]
    said = f"<p>分歧最大的在前（两两 Jaccard 距离的平均）：全部 {len(found.contested)} 句中的 {len(shown)} 句。</p>"
    return said + "".join(_sentence(number, row, labels) for number, row in enumerate(shown, 1))


def _sentence(number: int, row: Contested, labels: LabelSet) -> str:
    path = f'<p class="path">{escape(" › ".join(row.headings))}</p>' if row.headings else ""
    before = f"<li><bdi>{escape(row.previous)}</bdi></li>" if row.previous else ""
    said = sorted(row.answers.items(), key=lambda item: (item[1], item[0]))
    groups = [(given, [name for name, _ in group]) for given, group in groupby(said, key=lambda item: item[1])]
    groups.sort(key=lambda group: -len(group[1]))
    who = "".join(f"<li><b>{'、'.join(map(escape, names))}</b> {tags(given, labels)}</li>" for given, names in groups)
    return (
        f'<article class="error"><header><b>{number}</b><span>分歧 {row.distance:.2f}</span>'
        f"<small>{escape(row.doc)}</small></header>"
        f'{path}<ol class="context">{before}<li class="own"><bdi>{escape(row.text)}</bdi></li></ol>'
        f'<ul class="who">{who}</ul></article>'
    )


def _notes(found: Agreement) -> str:
    rows = [
        f"方括号内是 95% 百分位自助法区间：以报告为单位有放回地重抽 {found.draws} 次（随机种子 {found.seed}），"
        "因为同一份报告的句子并不独立；只有一份报告时没有区间。",
        "每人对一句只计最后一次作答；跳过的和含义不清的不计。",
        "Cohen κ 逐标签、两人一组计算再取平均；Fleiss κ 用作答人数最常见的那些句子；α 容许缺失。"
        "没有变化（例如无人选用某标签）时这些系数没有定义，写作“–”。",
        "漂移一节同时看许多数字，区间又各为 95%，因此约二十个里会有一个碰巧显著；结论要结合图形判断。",
    ]
    return '<ul class="plain">' + "".join(f"<li>{row}</li>" for row in rows) + "</ul>"
