"""The words around a figure: how it changed, what it is compared with, which period it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MOVES = (
    "负增长|增长|增产|减产|增加|提高|提升|上升|攀升|上涨|扩大|净增|递增|激增|下降|降低|减少|净减|递减|压减|压缩|缩短|缩减|削减|调减|"
    "调增|精简|减轻|回落|回升|下滑|下跌|收窄|前移|后移|上移|跃升|延长|提前|推迟|多报|少报|反弹|收缩|提速"
)
_MOVES_TO = "发展|拓展|扩充|恢复|扩展|跃居|增|升|降|减|压|提|扩|涨|跌|缩"
_SHORT = "增|升|降|减|压|提|扩|涨|跌|翻"
_APART_BY = "多出|高出|多|少|高|低|快|慢|大|小"
_BESIDE = "高于|低于|高出|少于|多于|快于|慢于|领先|落后|跑赢|超出"
_BASES = "平均|水平|目标|增速|增幅|涨幅|居民|预期|任务|计划|预算|同期|上限|底线"
_THAN = "(?:比(?![例重值率])|较(?![大高低多快好为少强]))"
_HANZI_YEAR = "[一二][〇○零一二三四五六七八九]{3}年"
_PART_OF_A_WORD = "[位名列排上跃提前荣一二三四五六七八九十0-9]"
"""Characters that cannot stand before the verb of a rank, because the two form one word."""

_BOUND = re.compile(
    "(?:近|约|大约|约为|将近|接近|不少于|不低于|不小于|至少|超过|超|突破|越过|跨上|逾|多达|高达|"
    "不超过|不高于|不足|不到|高于|低于|(?<!经)过|[数几上])了?$"
)
_EACH = re.compile("(?:每[人户年月名生亩件次天日班])+$")
_DATED = re.compile(rf"(?<=[到至])(?:年末|年底|目前|现在|[今当]年|[0-9]{{4}}年|{_HANZI_YEAR})的?$")
_CHANGE = re.compile(
    rf"(?P<move>(?:{_MOVES})|(?:{_MOVES_TO})(?=[到至为成]$))(?:了|过)?(?P<to>[到至为成]?)$"
    rf"|(?<=[再又各共均别内年时约])(?P<short>{_SHORT})了?(?P<short_to>[到至]?)$|(?P<fold>翻)了?$"
)
_APART = re.compile(
    rf"(?P<base>(?<![占对可]){_THAN}[^，。；、]{{1,16}}?)(?:将|要|又|还|再|均)?(?P<apart>{_APART_BY}|{_SHORT})了?$"
)
_BEYOND = re.compile(rf"(?P<move>{_BESIDE})(?P<base>[^，。；、]{{1,16}}?)(?:近|约)?$")
_REACHED = re.compile("(?:达到?|[为是]|完成|实现)$")
_FROM = re.compile(
    rf"(?P<move>由|从)(?:[0-9]{{4}}年|{_HANZI_YEAR}|[去上当前]年|每年|每月|每人|人均|户均|年初|原来|过去|此前|期初|改革前|"
    "“[^”]{1,8}”[末初]?|[^，。；、的由从]{1,5}(?=的))?的?$"
)
_ADVERBS = re.compile(
    "(?:同比口径|按可比(?:价格|口径)(?:计算)?|按不变价格(?:计算)?|扣除[价物]格?因素|平均每年|每年|一律|实际|分别|平均|累计|总计|合计|共计|进一步|大幅度?|逐步|逐年|首次|年均|"
    "[又再也均各已将还都共就约])+$"
)
_COMPARED = re.compile(
    rf"(?P<base>同比|环比|(?<![占对环同可]){_THAN}[^，。；、比较]{{1,14}}|[与同和][^，。；、]{{1,14}}?相比)，?$"
)
_SHARE_OF = re.compile(
    "(?P<verb>为|占|完成|达到?|相当于|恢复到|恢复至|是)(?P<base>[^，。；、为占]{0,10}?"
    "(?:预算|计划|目标|任务|同期|常年|原来|上年|去年|五年|之前|水平))的?$"
)
_TIMES_OF = re.compile("(?:[为是]|相当于)(?P<base>[^，。；]{1,16}?)的?$")
_RANK = re.compile(
    f"^(?P<core>.*)(?<!{_PART_OF_A_WORD})(?P<verb>"
    "(?:[上提]升|前移|跃居|跃升|升|进|降|退|后移)[至到]?|位居|位列|名列|列居|居于|处于|排名|排在|居|列|排|位(?!次)|"
    "荣?获得?|夺得?|捧回|摘得|跻身|进入)(?P<scope>[^，。；]{0,14}?)(?:中|的)?(?:并列|倒数)?$"
)
_FIELD = re.compile("全[省市县国区](?:高校|同类[^，。；]{0,3}|系统|同行)?")
_RANK_LEFT = re.compile(
    "(?P<before>世界|全球|全[省市县国区])?(?:排名|位次|名次|位居|居)?(?P<move>[由从])(?P<behind>世界|全球|全[省市县国区])?$"
)
_LEFT = re.compile("[由从](?:[去上当前]年|[0-9]{4}年|年初)?的?$")
_MOVED = ("升", "移", "跃", "进", "降", "退")


@dataclass(frozen=True, slots=True)
class Lead:
    """The words before a figure, taken apart.

    Attributes:
        core: the rest, from which the indicator is made.
        change: 增长, 提高到, 由, …
        comparison: 同比, 比上年; for a share the planned whole, for a rank the field.
        each: True if 分别 assigns several figures.
    """

    core: str
    change: str = ""
    comparison: str = ""
    each: bool = False


def take_apart(lead: str, unit: str) -> Lead:
    """Split change and comparison from the end of ``lead``, the words before a figure in ``unit``."""
    if unit == "位次":
        return _rank(lead)
    core = _DATED.sub("", _BOUND.sub("", _EACH.sub("", lead)))
    if match := _FROM.search(core):
        return Lead(core[: match.start()], match["move"])
    if (match := _SHARE_OF.search(core)) and unit in ("%", "倍"):
        change = match["verb"] if match["verb"].startswith("恢复") else ""
        return Lead(core[: match.start()], change, match["base"])
    if unit == "倍" and (match := _TIMES_OF.search(core)):
        return Lead(core[: match.start()], comparison=match["base"])
    if match := _CHANGE.search(core):
        word = match["move"] or match["short"] or match["fold"]
        change = word + (match["to"] or match["short_to"] or "")
        core, each = _adverbs(core[: match.start()])
        core, comparison = _compared(core)
        rest, later = _adverbs(core)
        return Lead(rest, change, comparison, each or later)
    if match := _APART.search(core):
        rest, each = _adverbs(core[: match.start()])
        return Lead(rest, match["apart"], match["base"], each)
    if (match := _BEYOND.search(core)) and (unit == "百分点" or re.search(_BASES, match["base"])):
        return Lead(core[: match.start()], match["move"], match["base"])
    rest, each = _adverbs(_REACHED.sub("", core))
    return Lead(rest, each=True) if each else Lead(core)


def _adverbs(core: str) -> tuple[str, bool]:
    """``core`` without the adverbs at its end, and whether 分别 was among them."""
    match = _ADVERBS.search(core)
    return (core[: match.start()], "分别" in match[0]) if match else (core, False)


def _compared(core: str) -> tuple[str, str]:
    """``core`` without the comparison at its end, and that comparison."""
    match = _COMPARED.search(core)
    if match is None:
        return core, ""
    rest, _ = _adverbs(core[: match.start()])
    base, _ = _adverbs(match["base"])
    return rest, base or match["base"]


def _rank(lead: str) -> Lead:
    if left := _RANK_LEFT.search(lead):  # 世界排名由第十位
        return Lead(lead[: left.start()], left["move"], left["before"] or left["behind"] or "")
    match = _RANK.search(lead)
    if match is None:
        field = re.search("(?:全[省市县国区]|世界|全球)[^，。；]{0,10}?$", lead)
        return Lead(lead[: field.start()], comparison=field[0]) if field else Lead(lead)
    if left := _LEFT.search(match["core"]):
        return Lead(match["core"][: left.start()], "由", match["scope"])
    change = match["verb"] if match["verb"].startswith(_MOVED) or match["verb"][1:2] in _MOVED else ""
    core, each = _adverbs(match["core"])
    field = _FIELD.search(core)
    return Lead(core, change, match["scope"] or (field[0] if field else ""), each)


_YEAR = f"(?:[12][0-9]{{3}}年|{_HANZI_YEAR}|[今去明本当前]年)"
_MONTH = "(?:[0-9]{1,2}|[一二三四五六七八九十]{1,2})月(?:份|[0-9]{1,2}日|[上中下]旬)?"
_QUARTER = "前?[一二三四1-4]个?季度"
_SPAN = f"(?:{_YEAR}(?:{_MONTH}|上半年|下半年|{_QUARTER}|全年)?|{_MONTH})[底末初]?"
PERIOD = re.compile(
    rf"(?<![比较与同由从第到])(?:截至|截止到?|自|(?<!恢复)(?<!提高)[到至])?{_SPAN}"
    rf"(?:[至到—–~－-]{{1,2}}(?:{_SPAN}|年底))?(?:以来|以前|之前|[前内起]|期间)?(?!版|度?报告|的)"
    r"|[0-9]{1,2}[-－—–~至]{1,2}[0-9]{1,2}月份?"
    rf"|(?<![比较与同])(?:全年|上半年|下半年|(?<!第){_QUARTER}|年内|年底前?|年末|目前|今年以来)"
    r"|(?:过去|今后)?[一二三四五六七八九十两几]{1,4}年(?:来|间|多来|以来|内|(?=年均|累计|合计|共|平均))"
    r"|过去[一二三四五]年|“?十[一二三四五]五”?(?:期间|时期|以来|末)"
    r"|春运[一二三四五六七八九十0-9]{0,3}天?(?:期间)?|[^\W等的和及]{2,5}期间"
)
"""A period that applies to the figures behind it."""
