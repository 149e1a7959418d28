"""Numbers that measure nothing: dates, periods, ordinals, names, fixed terms, thresholds (rules of the guideline)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .numerals import NUMERAL
from .units import COUNTS

_TERMS = (
    "八项规定|三重一大|三张清单|三项制度|三公经费|四个意识|四个自信|两个维护|两个确立|四个全面|五位一体|六稳|六保|四风|"
    "一件事|一网通办|两不愁三保障|双随机一公开|四好农村路|四不两直|三支一扶|一事一议|一个窗口|一窗|两个责任|三个必须|"
    "两个毫不动摇|三会一课|一张网|一张图|一盘棋|一条龙|一站式|两头"
)
ASIDE = (
    r"“[^“”]{0,15}”|\"[^\"]{0,15}\"|《[^《》]{0,60}》|〔[^〔〕]{0,9}〕"  # names and slogans
    rf"|{_TERMS}"
    r"|(?<![A-Za-z])[A-Za-z]{1,12}-?[0-9]{1,9}(?:\.[0-9]{1,9})?(?![0-9.%])"  # PM2.5, S317
    r"|[0-9]{1,5}(?:[×xX*+·][0-9A-Z]{1,5})+(?:小时)?"  # 7×24小时, 1+5+N, 3·15
    rf"|{NUMERAL}[多余]?人口?的[^，。；]{{0,4}}(?:大国|国家|饭碗)"
    r"|[0-9]{4}[-－—–~至]{1,2}[0-9]{4}(?=年)|(?<![0-9])[0-9]{1,2}[-－—–~至、]{1,2}[0-9]{1,2}(?=月)"
    rf"|第{NUMERAL}.?|每{NUMERAL}|(?:周|星期|礼拜)[一二三四五六日]"
    rf"|{NUMERAL}[多余]?(?:年|月|日|号|时(?!间)|季|周(?!岁)|世纪|旬|级|等(?=[奖功级舱公])|届)"
)
"""A regular expression for text that is skipped together with its numbers."""


@dataclass(frozen=True, slots=True)
class _Veto:
    """A context in which a figure measures nothing.

    Attributes:
        units: the units that it applies to; None for all.
        before, after: what must stand directly before and after the figure.
        unless: what lifts the veto if it stands before the figure.
        numerals: the numerals that it applies to; None for all, ``hanzi`` for Chinese ones, ``digit`` for single
            Chinese digits.
    """

    units: frozenset[str] | None
    before: re.Pattern[str]
    after: re.Pattern[str]
    unless: re.Pattern[str] | None
    numerals: str | frozenset[str] | None

    def holds(self, numeral: str, unit: str, before: str, after: str) -> bool:
        """Whether it applies to ``numeral`` in ``unit`` between ``before`` and ``after``."""
        if self.units is not None and unit not in self.units:
            return False
        if self.numerals in ("hanzi", "digit"):
            if numeral[0].isascii() or (self.numerals == "digit" and len(numeral) > 1):
                return False
        elif self.numerals is not None and numeral not in self.numerals:
            return False
        if not self.before.search(before) or not self.after.match(after):
            return False
        return self.unless is None or not self.unless.search(before)


def _veto(
    units: Iterable[str] | None = None,
    *,
    before: str = "",
    after: str = "",
    unless: str = "",
    numerals: str | Iterable[str] | None = None,
) -> _Veto:
    return _Veto(
        None if units is None else frozenset(units),
        re.compile(f"(?:{before})$"),
        re.compile(after),
        re.compile(f"(?:{unless})$") if unless else None,
        numerals if numerals is None or isinstance(numerals, str) else frozenset(numerals),
    )


_SIZES = (
    *("元", "美元", "吨", "公斤", "千克", "千瓦", "兆瓦", "亩", "公顷", "平方米", "立方米", "公里", "米"),
    *("人", "小时", "次", "倍"),
)
_TIMES = ("天", "小时", "分钟", "工作日")
_SHORTENED = "(?:压缩|缩短|减少|压减|控制|降低?|提速|平均|用时|时长|压|减)[^，。；]{0,6}"
_ALONE = "[仅只另少近]|(?<!没)有|不足|不到|新增|新建|建成|建立|增设|设立|其中|获|获得|荣获|新设|完成|开展|成立"
_VETOES = (
    _veto(before="[此这该那]|上述|以上|前述|连续"),  # 上述两项, 连续三次
    _veto(COUNTS, before="(?<!提)前"),  # 前三个季度
    _veto("轮批个期步次类组片块", before="(?<![得评总均百部])分"),  # 分三轮督查
    _veto("次", before="[大会届中]", after="会议|全会|全体", numerals="hanzi"),
    _veto(_SIZES, after="及?以[上下]的?[\u4e00-\u9fff]"),  # 10亿元以上项目
    _veto(_SIZES, before="超过?|不足|不到|低于|高于|达到?|过|逾", after="的"),  # 年产值超千万元的企业
    _veto(_TIMES, after="以?内|之内|之?后|前|自助|服务|值守|值班|不间断|在线|[^，。；]{0,6}圈", unless=_SHORTENED),
    _veto(("小时",), unless=_SHORTENED, numerals=("24", "48", "72", "二十四")),
    _veto(("天",), before="春运|假期|长假|黄金周|国庆|春节"),
    _veto(
        ("个月",),
        unless="(?:提前|缩短|压缩|延长|推迟|减少|增加|平均|达|滞后|拖延|耗时|[降落]到|[降落]至|[仅只]用)[^，。；]{0,3}",
    ),
    _veto(("岁", "周岁"), unless="(?:年龄|寿命|均龄)[^，。；]{0,5}"),  # 65岁以上老年人
    _veto(("分钟", "公里"), after="[^，。；]{0,6}圈"),
    # Single Chinese digits are part of many words and names.
    _veto("批片道路层段把面口头对类种本场条分根位", numerals=("一",)),
    _veto(COUNTS, unless=_ALONE, numerals=("一",)),
    _veto(COUNTS, numerals=("二", "零")),  # 二期, 二本, 零处罚: counts say 两
    _veto("类", numerals="digit"),
    _veto("期", unless="训|班|讲|刊|报", numerals="digit"),
    _veto("期次", before="[一二三四五六七八九]、", numerals="digit"),
    _veto(
        after="方面|层面|维度|阶段|环节|关键|统一|坚持|注重|一百年|大局|现代化|文明|代表|有利于|市场|资源|孩子|转变|确保|务必",
        numerals="digit",
    ),
    _veto(after="(?:重点|主要|基本)?(?:工作|任务|指标|领域|内容|要求|原则|方针)", numerals="digit"),
)


def measures(text: str, start: int, end: int, numeral: str, unit: str) -> bool:
    """Whether ``text[start:end]``, a numeral with its plain ``unit``, measures something in this context."""
    before, after = text[max(0, start - 12) : start], text[end : end + 12]
    return not any(veto.holds(numeral, unit, before, after) for veto in _VETOES)
