"""Figures as text, and the Chinese names of things."""

from __future__ import annotations

from ...base.interval import Interval
from ..evaluate import ATTRIBUTION, FROZEN, LEARNING, MODEL, NEAREST, RULES, TFIDF, TFIDF_ALONE
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
