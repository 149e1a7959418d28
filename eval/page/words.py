"""What the page is put together from: tables, tags, figures as text, and the Chinese names of things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ...data.labels import LabelSet
from ..evaluate import ATTRIBUTION, FROZEN, LEARNING, MODEL, NEAREST, RULES, TFIDF, TFIDF_ALONE
from ..metrics import Interval
from ..significance import Difference

SYSTEMS = {
    MODEL: "本模型",
    RULES: "关键词规则",
    TFIDF_ALONE: "TF-IDF＋逻辑回归（仅本句）",
    TFIDF: "TF-IDF＋逻辑回归（含标题与上句）",
    FROZEN: "冻结编码器＋逻辑回归",
}
PARTS = {NEAREST: "最相近的训练句", ATTRIBUTION: "词语归因", LEARNING: "学习曲线", **SYSTEMS}
DIMENSIONS = {
    "kind": "文种",
    "level": "层级",
    "section": "所在部分（按标题判断）",
    "length": "句长（字）",
    "position": "在报告中的位置",
    "report": "报告",
}
VALUES = {
    "annual-summary": "年度工作总结",
    "budget": "预算报告",
    "government-report": "政府工作报告",
    "half-year": "半年总结",
    "info-disclosure": "政府信息公开年报",
    "rectification": "整改报告",
    "rule-of-law": "法治政府建设年报",
    "special-topic": "专题报告",
    "work-points": "工作要点",
    "national": "国家",
    "province": "省级",
    "city": "市级",
    "county": "县级",
    "township": "乡镇街道",
    "enterprise": "企业",
    "university": "高校",
    "review": "工作回顾",
    "problems": "问题与不足",
    "plan": "下一步打算",
    "other": "标题未说明",
    "first quarter": "前四分之一",
    "second quarter": "第二个四分之一",
    "third quarter": "第三个四分之一",
    "last quarter": "后四分之一",
}


def tag(name: str, labels: LabelSet) -> str:
    """A label: its colour and its title."""
    label = next(label for label in labels if label.name == name)
    return f'<span class="tag"><i style="background:{label.color}"></i>{escape(label.title)}</span>'


def tags(names: Sequence[str], labels: LabelSet) -> str:
    """Several labels, or that there are none."""
    inner = "".join(tag(name, labels) for name in names) or '<span class="few">无标签</span>'
    return f'<span class="tags">{inner}</span>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "", ours: int = -1) -> str:
    """A table of HTML cells; ``kind`` is its class, row ``ours`` stands out; cells with a chart are made narrow."""

    def cells(row: Sequence[str], element: str) -> str:
        return "".join(
            f'<{element} class="graph">{cell}</{element}>'
            if cell.startswith("<svg")
            else f"<{element}>{cell}</{element}>"
            for cell in row
        )

    body = "".join(
        f'<tr class="ours">{cells(row, "td")}</tr>' if i == ours else f"<tr>{cells(row, 'td')}</tr>"
        for i, row in enumerate(rows)
    )
    attribute = f' class="{kind}"' if kind else ""
    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>"
    return f'<div class="scroll"><table{attribute}>{top}<tbody>{body}</tbody></table></div>'


def score(value: float) -> str:
    """A figure from 0 to 1 as fields write it: three digits."""
    return f"{value:.3f}"


def with_interval(interval: Interval, reports: int = 2) -> str:
    """A figure and, where there is more than one report to draw from, its interval."""
    between = f" <small>[{interval.low:.3f}, {interval.high:.3f}]</small>" if reports > 1 else ""
    return f"{interval.value:.3f}{between}"


def difference(found: Difference) -> str:
    """A difference and its interval."""
    return f"{found.value:+.3f} <small>[{found.low:+.3f}, {found.high:+.3f}]</small>"


def p_value(p: float | None) -> str:
    """A p-value."""
    return "—" if p is None else "&lt; 0.001" if p < 0.001 else f"{p:.3f}"


def certain(found: Difference) -> bool:
    """Whether interval and test agree that the difference is not luck."""
    return (found.low > 0 or found.high < 0) and (found.p is None or found.p < 0.05)
