"""Figures: numerals with their units, as written in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from .exclusions import ASIDE, measures
from .numerals import DIGITS, NUMERAL, interval, number
from .units import UNIT, plain

Bound = Literal["", "约", "以上", "以内"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit.

    Attributes:
        start, end: the range of numeral and unit in the text.
        value: in single units, with 万 or 千 multiplied out (3.2万件 is 32000); the lower end of a range.
        upper: the upper end of a range, else None.
        unit: 件, 元, %, 百分点, 位次 (of a rank), …; empty where there is none.
        bound: about (约), at least (以上) or at most (以内) that much; empty if the number is exact.
    """

    start: int
    end: int
    value: Decimal
    upper: Decimal | None = None
    unit: str = ""
    bound: Bound = ""


_ROUND = "(?:(?<=[数几上近约超逾过破])[十百千万]{1,2}[万亿]?|[百千万](?=[余多]))"
_SOME = f"(?:{NUMERAL}|{_ROUND})"
_END = r"(?=[，。；：、！？）\s的和及]|$)"
_FOUND = re.compile(
    rf"(?P<rank>[第前](?P<place>{NUMERAL})(?:名(?!称|单|录|额)|位(?!的|数)|{_END})|(?P<top>首位|榜首){_END})"
    r"|(?P<years>[0-9]{1,3}\.[0-9]{1,2}年)"
    rf"|(?P<aside>{ASIDE})"
    rf"|(?P<share>(?P<whole>百|千|万|{NUMERAL})分之(?P<part>百|{NUMERAL})"
    rf"(?:[至到—–－-](?:百分之)?(?P<most>{NUMERAL})(?![年月个]))?)"
    r"|(?P<tenths>[一二两三四五六七八九]{1,2}成(?:[一二三四五六七八九半](?![个项名家件]))?"
    r"(?![果立功效员为本交长绩就品都人套熟]))"
    r"|(?P<half>[过近]半(?![年月天个小径])|一半|半数|(?P<halved>半个?(?P<span>小时|天)))"
    r"|(?P<fold>(?<=翻)[一两二三四]番|(?<=翻了)[一两二三四]番)"
    rf"|(?P<clock>(?P<hours>{NUMERAL})小时(?P<minutes>{NUMERAL})分钟?)"
    rf"|(?P<money>(?P<amount>{NUMERAL})个亿元?)"
    rf"|(?P<count>(?P<low>{_SOME})(?P<low_more>[余多几来]?)(?P<low_scale>[万亿]{{0,2}})(?P<low_unit>{UNIT}|/10万)?"
    rf"(?:(?:至|到|[-－—–~～]{{1,2}})(?P<high>{NUMERAL})(?P<high_scale>[万亿]{{0,2}})(?P<high_unit>{UNIT}))?)"
)
_ROW = re.compile(
    r"[^0-9，。；：！？]*?(?=[-0-9])(?P<cells>-?[0-9][0-9.,]*%?(?:\s+(?:-?[0-9][0-9.,]*%?|[-—]{1,4}))+)\s*"
)
_RANKED = re.compile(
    "(?:居|列|位列|排|名次|位次|排名|升至|升到|进至|进入|跻身|前移|跃|获|夺|摘|蝉联|并列|评|得|考核|竞赛|比武|捧回|"
    "[省市县区国界部组])[^，。；]{0,14}$"
)
_SET_FIRST = re.compile("(?:放在|摆在|作为|坚持|列为)[^，。；]{0,6}$")
_BEFORE = re.compile(
    "(?:(?P<about>近|约|大约|约为|将近|接近)"
    "|(?P<least>不少于|不低于|不小于|至少|超过|超|突破|越过|跨上|逾|多达|高于|高达|(?<!经)过|[数几上])"
    "|(?P<most>不超过|不高于|不多于|不大于|不足|不到|低于|少于|不满))了?$"
)
_AFTER = re.compile("(?P<about>左右|上下)|(?P<least>及?以上|之多|多(?![个名项次]))|(?P<most>及?以[下内]|之内)")
_BOUNDS: dict[str, Bound] = {"about": "约", "least": "以上", "most": "以内"}
_LONGEST = 18
_ABSURD = Decimal(10) ** 20  # nothing as large is ever counted, and decimals have 28 digits
_INDEXED = re.compile("(?:指数|系数|得分|评分|分值|综合分)[^0-9，。；、]{0,4}$")
_ELIDED = re.compile(rf"(?:[、和及与]{NUMERAL}个?){{0,5}}[、和及与]{NUMERAL}({UNIT})")


def figures(text: str) -> list[Figure]:
    """The figures of a repaired sentence (``data/repair.py``), in order; none overlaps another, each has a numeral."""
    if row := _ROW.fullmatch(text):
        return list(_cells(row))
    found = (_figure(text, match) for match in _FOUND.finditer(text) if match.lastgroup != "aside")
    return [replace(f, value=_shortest(f.value)) for f in found if f is not None and f.value < _ABSURD]


def _cells(row: re.Match[str]) -> Iterator[Figure]:
    """The cells of a table's row, whose units are in its head."""
    start = row.start("cells")
    for cell in re.finditer(r"(-?)([0-9][0-9.,]*)(%?)", row["cells"]):
        value = number(cell[2])
        if value is not None:
            yield Figure(start + cell.start(), start + cell.end(), -value if cell[1] else value, unit=cell[3])


def _figure(text: str, match: re.Match[str]) -> Figure | None:
    kind = match.lastgroup
    start, end = match.span()
    if kind == "count":
        return _count(text, match)
    if kind == "rank":
        return _rank(text, match)
    upper = None
    bound = _bound(text, start, end)
    if kind == "share":
        value, unit = _share(match)
        upper = number(match["most"]) if match["most"] else None
    elif kind == "tenths":
        value, upper = _tenths(match[0])
        unit = "%"
    elif kind == "half":
        value, unit = (Decimal("0.5"), match["span"]) if match["halved"] else (Decimal(50), "%")
        bound = {"过": "以上", "近": "约"}.get(match[0][0], bound)  # type: ignore[assignment]
    elif kind == "years":
        value, unit = number(match[0][:-1]), "年"
    elif kind == "fold":
        value, unit = number(match[0][0]), "番"
    elif kind == "clock":
        hours, minutes = number(match["hours"]), number(match["minutes"])
        value, unit = None if hours is None or minutes is None else hours * 60 + minutes, "分钟"
    else:
        amount = number(match["amount"])
        value, unit = None if amount is None else amount * 10**8, "元"
    if value is None:
        return None
    return Figure(start, end, value, upper, unit, bound)


def _count(text: str, match: re.Match[str]) -> Figure | None:
    low, scale, unit = match["low"], match["low_scale"], match["low_unit"] or ""
    end = match.end("low_unit") if unit else match.end("low_scale")
    value, upper = _value(low, scale)
    if match["high"]:
        end = match.end()
        value, upper, unit = _range(match)
    if value is None or len(low) > _LONGEST:
        return None
    if not unit or unit == "个":
        if elided := _ELIDED.match(text, end):
            unit = unit if unit and not elided[1].startswith("个") else elided[1]
        elif not unit and not _stands_alone(text, match.start(), low + scale):
            return None
    unit = plain(unit)
    if not measures(text, match.start(), end, low, unit):
        return None
    bound = _bound(text, match.start(), end)
    if not bound and match["low_more"] and not match["high"]:
        bound = "以上"
    start = match.start() - (low[0] in "十百千万" and text[match.start() - 1 : match.start()] in ("数", "几"))  # 数十个
    return Figure(start, end, value, upper, unit, bound)


def _stands_alone(text: str, start: int, numeral: str) -> bool:
    """Whether a number without a unit counts: in 万 or 亿 (惠及2300多万群众), an index, 由零."""
    if numeral == "零":
        return re.search("[由从为]$", text[max(0, start - 2) : start]) is not None
    if numeral[-1] in "万亿":
        return len(numeral) > 1
    return numeral[0].isascii() and _INDEXED.search(text[max(0, start - 12) : start]) is not None


def _value(numeral: str, scale: str = "") -> tuple[Decimal | None, Decimal | None]:
    """The value, and the upper end if two digits side by side give a range (两三百)."""
    value, upper = number(numeral), None
    if len(numeral) > 1 and set(numeral) <= DIGITS.keys():
        value = None  # digits in a row do not count anything
    if value is None and (pair := interval(numeral)):
        value, upper = pair
    factor = number(scale) if scale else None
    if factor is not None and value is not None:
        value, upper = value * factor, None if upper is None else upper * factor
    return value, upper


def _range(match: re.Match[str]) -> tuple[Decimal | None, Decimal | None, str]:
    """3至5万个, 1%至2%: both ends and the unit; a lower end without a scale has that of the upper end."""
    low, _ = _value(match["low"], match["low_scale"])
    high, _ = _value(match["high"], match["high_scale"])
    if low is None or high is None:
        return None, None, ""
    scaled = re.fullmatch("[0-9.]+([十百千万亿]+)", match["high"] + match["high_scale"])
    if scaled and re.fullmatch("[0-9.]+", match["low"] + match["low_scale"]) and not match["low_unit"]:
        low *= number(scaled[1]) or 1
    return low, high, match["high_unit"]


def _share(match: re.Match[str]) -> tuple[Decimal | None, str]:
    part = Decimal(100) if match["part"] == "百" else number(match["part"])
    if match["whole"] in ("千", "万"):
        return part, {"千": "‰", "万": "‱"}[match["whole"]]
    whole = Decimal(100) if match["whole"] == "百" else number(match["whole"])
    if part is None or not whole or part / whole >= _ABSURD:
        return None, ""
    return part if whole == 100 else round(part / whole * 100, 4), "%"


def _tenths(text: str) -> tuple[Decimal | None, Decimal | None]:
    """三成 30, 九成五 95, 七八成 70 to 80, in percent."""
    whole, _, rest = text.partition("成")
    value, upper = _value(whole)
    if value is None:
        return None, None
    more = Decimal(5) if rest == "半" else number(rest) or Decimal(0)
    return value * 10 + more, None if upper is None else upper * 10


def _rank(text: str, match: re.Match[str]) -> Figure | None:
    before = text[max(0, match.start() - 24) : match.start()]
    if not _RANKED.search(before) or _SET_FIRST.search(before):
        return None
    value = Decimal(1) if match["top"] else number(match["place"])
    if value is None or value > 10_000:
        return None
    return Figure(*match.span(), value, unit="位次", bound="以内" if match[0][0] == "前" else "")


def _bound(text: str, start: int, end: int) -> Bound:
    for match in (_BEFORE.search(text[max(0, start - 5) : start]), _AFTER.match(text, end)):
        if match is not None and match.lastgroup is not None:
            return _BOUNDS[match.lastgroup]
    return ""


def _shortest(value: Decimal) -> Decimal:
    """``value`` without zeros that say nothing: 10 for 10.00, and never 1E+1."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
