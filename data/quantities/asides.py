"""Numbers that measure nothing: dates, periods, ordinals, names, fixed terms, thresholds. The guideline's rules."""

from __future__ import annotations

import re

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
    r"|[0-9]{4}[-—–~至]{1,2}[0-9]{4}(?=年)|(?<![0-9])[0-9]{1,2}[-—–~至、]{1,2}[0-9]{1,2}(?=月)"
    rf"|第{NUMERAL}.?|每{NUMERAL}|(?:周|星期|礼拜)[一二三四五六日]"
    rf"|{NUMERAL}[多余]?(?:年|月|日|号|时(?!间)|季|周(?!岁)|世纪|旬|级|等|届)"
)
"""A regular expression for what is passed over, numbers and all."""

_LIMITS = "元 美元 吨 公斤 千克 千瓦 兆瓦 亩 公顷 平方米 立方米 公里 米 人 小时 天 次 倍".split()
_SERVICE = ("天", "小时", "分钟", "工作日")
_SHORTENED = re.compile("(?:压缩|缩短|减少|压减|控制|降低?|提速|平均|用时|时长|压|减)[^，。；]{0,6}$")
_LASTING = re.compile(
    "(?:提前|缩短|压缩|延长|推迟|减少|增加|平均|达|滞后|拖延|耗时|[降落]到|[降落]至|[仅只]用)[^，。；]{0,3}$"
)
_IDLE_ONES = set("批片道路层段把面口头对类种本场条分根位")
_ONLY = re.compile(
    "(?:[仅只另少近]|(?<!没)有|不足|不到|新增|新建|建成|建立|增设|设立|其中|获|获得|荣获|新设|完成|开展|成立)$"
)


def measures(text: str, start: int, end: int, numeral: str, unit: str) -> bool:
    """Whether ``text[start:end]``, a numeral with its plain ``unit``, measures something where it stands."""
    before, after = text[max(0, start - 12) : start], text[end : end + 12]
    chinese = not numeral[0].isascii()
    if re.search("(?:[此这该那]|上述|以上|前述|连续)$", before):
        return False
    if re.search("(?<!提)前$", before) and unit not in ("%", "百分点"):
        return False
    if re.search("(?<![得评总均百部])分$", before) and unit in (
        "轮",
        "批",
        "个",
        "期",
        "步",
        "次",
        "类",
        "组",
        "片",
        "块",
    ):
        return False
    if chinese and len(numeral) == 1 and not _few(numeral, unit, before, after):
        return False
    if unit == "次" and chinese and re.match("会议|全会|全体", after) and re.search("[大会届中]$", before):
        return False
    if unit in _LIMITS and _limits(before, after):
        return False
    if unit in _SERVICE and not _SHORTENED.search(before):
        if re.match("以?内|之内|之?后|前|自助|服务|值守|值班|不间断|在线|[^，。；]{0,6}圈", after):
            return False
        if unit == "小时" and numeral in ("24", "48", "72", "二十四"):
            return False
        if unit == "天" and re.search("(?:春运|假期|长假|黄金周|国庆|春节)$", before):
            return False
    if unit == "个月":
        return _LASTING.search(before) is not None
    if unit in ("岁", "周岁"):
        return re.search("(?:年龄|寿命|均龄)[^，。；]{0,5}$", before) is not None
    return not (unit in ("分钟", "公里") and re.match("[^，。；]{0,6}圈", after))


def _few(numeral: str, unit: str, before: str, after: str) -> bool:
    """Single Chinese digits stand in many words and names: whether this one counts."""
    if numeral == "一" and unit not in ("%", "百分点", "倍", "番"):
        return unit not in _IDLE_ONES and _ONLY.search(before) is not None
    if (numeral == "零" and unit) or (numeral == "二" and unit in COUNTS):  # 二本, 二期: counts say 两
        return False
    if unit == "类" or (unit == "期" and not re.search("(?:训|班|讲|刊|报)$", before)):
        return False
    if re.search(r"[一二三四五六七八九]、$", before) and unit in ("类", "级", "期", "次"):
        return False
    return not re.match(
        "(?:方面|层面|维度|阶段|环节|关键|统一|坚持|注重|一百年|大局)|(?:重点|主要)?(?:工作|任务|指标|领域|内容|要求)",
        after,
    )


def _limits(before: str, after: str) -> bool:
    """Whether it only says which ones are meant: 年产值超千万元的企业, 10亿元以上项目."""
    if re.match("(?:及?以[上下])的?(?:[\u4e00-\u9fff])", after):
        return True
    return (
        re.match("的", after) is not None
        and re.search("(?:超过?|不足|不到|低于|高于|达到?|过|逾)$", before) is not None
    )
