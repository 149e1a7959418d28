"""Finds the part of a report that a sentence is in, from its headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Section = Literal["review", "problems", "plan", "other"]
SECTIONS: tuple[Section, ...] = ("review", "problems", "plan", "other")

_SAYS: dict[Section, re.Pattern[str]] = {
    "review": re.compile(
        "回顾|总结|成效|成绩|完成情况|执行情况|开展情况|工作情况|整改情况|落实情况|总体情况|进展|做法|过去|所做的"
        "|主要工作|年来的?工作|公开政府信息情况|公开申请情况|诉讼情况"
    ),
    "problems": re.compile("问题|不足|短板|困难|差距|薄弱|原因|教训"),
    "plan": re.compile(
        "下一?步|下半年|打算|安排|计划|规划|目标|任务|思路|要点|今后|展望|部署|草案|总体要求|明年|接续|努力方向"
    ),
}


def section(headings: Sequence[str], title: str = "") -> Section:
    """The role of the part under ``headings`` (outermost first).

    The outermost heading with one role decides, since inner headings name subjects ("对照问题抓整改" in a review). A
    heading with several roles ("工作总结和下一步打算") leaves the decision to those below it. The ``title`` comes last.
    """
    for heading in (*headings, title):
        said = [role for role, words in _SAYS.items() if words.search(heading)]
        if len(said) == 1:
            return said[0]
    return "other"
