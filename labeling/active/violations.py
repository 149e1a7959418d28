"""The rules of the guideline (``guideline.zh.md``) that a program can check; for the default label set only."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ...data.quantities import quantities
from ...data.report import normalise

_DIGIT = re.compile("[0-9]")
_NUMERAL = re.compile("[0-9一二三四五六七八九十百千万亿两半双倍首]")
_MEASURES = ("元", "%", "百分点", "倍", "位次")
_PASSAGE = re.compile("(?:报告|汇报|公布|通报)如下[。:]?$|谨致谢意|表示(?:衷心|诚挚|崇高)?的?感谢")
_WANTING = re.compile("有待|[还仍尚]需(?:进一步|不断|持续)?(?:加强|提[高升]|完善|改进|深化|拓展|健全)")


@dataclass(frozen=True, slots=True)
class Violation:
    """A label that violates the guideline.

    Attributes:
        label: the doubted label.
        given: whether the sentence has it.
        why: in Chinese, for annotators.
        score: how suspicious it is, 0 to 1.
    """

    label: str
    given: bool
    why: str
    score: float


def violations(text: str, labels: Collection[str]) -> list[Violation]:
    """The violations of the guideline in a sentence's labels.

    Numbers written only in words (三件大事, 一天天) are too often idioms for a rule; the learner checks those.
    """
    plain = normalise(text)
    found = quantities(text)
    figures = [q.text for q in found if q.unit in _MEASURES or (q.unit and _DIGIT.search(normalise(q.text)))]
    doubts = []
    if "metric" in labels and not found:
        bare = not _NUMERAL.search(plain)
        why = "标了“指标”，句中却没有数字" if bare else "标了“指标”，句中的数字却像日期、序号或名称"
        doubts.append(Violation("metric", True, why, 0.98 if bare else 0.9))
    if "metric" not in labels and figures:
        doubts.append(Violation("metric", False, f"句中有数量（{'、'.join(figures[:3])}），却没有标“指标”", 0.95))
    if _PASSAGE.search(plain) and len(plain) < 40 and not found:
        doubts += [Violation(name, True, "过渡或致谢的话，规范要求选“无”", 0.9) for name in labels]
    if (wanting := _WANTING.search(plain)) and "shortcoming" not in labels:
        doubts.append(Violation("shortcoming", False, f"“{wanting[0]}”说的是缺点，规范要求标“不足”", 0.8))
    return doubts
