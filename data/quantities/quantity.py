"""The quantity and its fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..report import normalise
from .figures import Bound

_RISE = re.compile("增|升|涨|扩|延|提|发展|拓展|跃|翻|高|多|快|领先|跑赢|超|前移|进|回升")
_FALL = re.compile("负增长|减|降|缩|落|跌|滑|窄|短|低|少|慢|后移|退|压|精简|推迟")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One figure of a report and what it measures.

    Attributes:
        start, end: half-open range of numeral and unit in characters: of the report's text for a ``Sentence``, of the
            text itself for a text.
        text: the characters of the range.
        indicator: what is counted or measured, in the report's words (``办理行政复议案件``); empty if it does not
            say.
        value: in units of ``unit``: 3.2万件 is 32000, 三成 is 30 (%), 四分之三 is 75 (%); the lower end of a range.
        upper: the upper end of a range (``3至5个``, ``两三百``), else None.
        unit: 件, 元, %, 百分点, 倍, 番, …; ``位次`` for a rank; empty where there is none.
        bound: 约 (近, 左右), 以上 (超过, 不少于, 余), 以内 (不足, 以下), or empty.
        change: the word for a change right before the figure (``增长``, ``提高到``, ``由``), or empty if the figure is
            a level. A change that ends in 到, 至, 为 or 成, and ``由`` and ``从``, also give a level, reached or left;
            any other gives the amount of change.
        comparison: compared with what: ``同比``, ``比上年``, ``预算`` (为预算的98%); for a rank its field (``全省``).
        period: the period named before it in the sentence (``全年``, ``2022年``), or empty.
    """

    start: int
    end: int
    text: str
    indicator: str
    value: Decimal
    upper: Decimal | None = None
    unit: str = ""
    bound: Bound = ""
    change: str = ""
    comparison: str = ""
    period: str = ""

    @property
    def is_change(self) -> bool:
        """Whether the figure is an amount of change (增长5%) and not a level (增长到5%)."""
        return bool(self.change) and self.change not in ("由", "从") and self.change[-1] not in "到至为成"

    @property
    def direction(self) -> int:
        """1 if the change is a rise, -1 if it is a fall, 0 if it is neither."""
        if _FALL.search(self.change):
            return -1
        return 1 if _RISE.search(self.change) else 0

    @property
    def key(self) -> str:
        """The key for matching quantities of two reports: the bare indicator, the unit and, for a change, its kind.

        Two quantities with one key measure the same thing in the same unit, insofar as words can tell.
        """
        name = normalise(self.indicator)
        name = _ASIDES.sub("", name)
        while (shorter := _OPENING.sub("", name)) != name and len(shorter) > 1:
            name = shorter
        return "|".join((name, self.unit, "变化" if self.is_change else ""))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; whole numbers as int, others as float."""
        return {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "indicator": self.indicator,
            "value": plain_number(self.value),
            "upper": None if self.upper is None else plain_number(self.upper),
            "unit": self.unit,
            "bound": self.bound,
            "change": self.change,
            "comparison": self.comparison,
            "period": self.period,
            "key": self.key,
        }


def plain_number(value: Decimal) -> int | float:
    """The value in the form for JSON and spreadsheets."""
    return int(value) if value == value.to_integral_value() else float(value)


_ASIDES = re.compile(r"[\s，。、；：“”‘’\"'（）()《》〈〉的]+")
_OPENING = re.compile(
    "^(?:完成|实现|预计|力争|确保|全年|年度|本年|当年|全[省市县区国乡镇局]|我[省市县区局]|本[省市县区局级]|"
    "共|累计|总计|合计)"
)
