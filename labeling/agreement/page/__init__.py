"""The agreement report: one self-contained HTML page, in Chinese, that opens offline."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from ....base.page import assemble
from ....base.page.templates import render
from ....data.labels import LabelSet
from .. import Agreement
from ..contested import Contested
from . import habits, sections
from .heat import UNDEFINED

if TYPE_CHECKING:
    from markupsafe import Markup

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
    """The agreement page.

    Text from reports and names are escaped everywhere: they are data, never markup.

    Args:
        found: the agreement.
        labels: the label set, for the labels' titles and colours.
        data: what was measured, in words.
        made: the date; None leaves it out.
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
        ("notes", "说明", render("labeling/agreement/page/notes.html.j2", draws=found.draws, seed=found.seed)),
    ]
    about = f"{data} · {made.isoformat()}" if made else data
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


def _findings(found: Agreement, labels: LabelSet) -> Markup:
    known = [row for row in found.labels if row.alpha.value is not None]
    pairs = [pair for pair in found.pairs if pair.kappa.value is not None]
    return render(
        "labeling/agreement/page/summary.html.j2",
        labels=labels,
        worst=min(known, key=lambda row: row.alpha.value or 0.0, default=None),
        apart=min(pairs, key=lambda pair: pair.kappa.value or 0.0) if len(pairs) > 1 else None,
        drifting=[drift for drift in found.drift if drift.agreement.certain and (drift.agreement.value or 0.0) < 0],
        hasty=[row for row in found.speed if row.timed and row.hasty / row.timed > 0.05],
        misled=[
            row
            for row in found.anchoring.annotators
            if (wrong := row.wrong_seen) and wrong.answers >= 10 and (wrong.share.value or 0.0) > 0.5
        ],
    )


def _contested(found: Agreement, labels: LabelSet) -> Markup:
    shown = [(number, row, _answers(row)) for number, row in enumerate(found.contested[:SHOWN], 1)]
    return render("labeling/agreement/page/contested.html.j2", shown=shown, all=len(found.contested), labels=labels)


def _answers(row: Contested) -> list[tuple[tuple[str, ...], list[str]]]:
    """Who gave which labels, the most common answer first."""
    said = sorted(row.answers.items(), key=lambda item: (item[1], item[0]))
    groups = [(given, [name for name, _ in group]) for given, group in groupby(said, key=lambda item: item[1])]
    return sorted(groups, key=lambda group: -len(group[1]))
