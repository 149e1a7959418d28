"""Chinese names for systems and groups, and whether a difference is significant."""

from __future__ import annotations

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


def certain(found: Difference) -> bool:
    """Whether the interval and the test agree that the difference is not due to chance."""
    return (found.low > 0 or found.high < 0) and (found.p is None or found.p < 0.05)
