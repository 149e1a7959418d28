"""Automatic numbers such as 一、 （一） 1. ①, which Word computes and does not store."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from .names import child, local, number, value

_HANZI = "〇一二三四五六七八九"
_LEGAL = "零壹贰叁肆伍陆柒捌玖"
_LEVELS = range(9)
_LONGEST = 100  # characters of a number's format, placeholders included


@dataclass(frozen=True)
class _Level:
    format: str = "decimal"
    text: str = ""
    start: int = 1
    restart: int | None = None  # the level (from 1) whose number restarts this one; 0 for never
    legal: bool = False
    suffix: str = "tab"


@dataclass(frozen=True)
class _List:
    levels: dict[int, _Level]
    counts: dict[int, int]  # of the definition: its lists continue one count
    starts: dict[int, int]  # where this list starts again instead


class Numbering:
    """The lists of a document; call :meth:`label` once for each numbered paragraph, in order."""

    def __init__(self, root: etree._Element | None) -> None:
        self._lists: dict[str, _List] = {}
        levels: dict[str | None, dict[int, _Level]] = {}
        counts: dict[str | None, dict[int, int]] = {}
        for node in root if root is not None else ():
            if local(node) == "abstractNum":
                levels[value(node, "abstractNumId")] = _levels(node)
            elif local(node) == "num":
                source = value(child(node, "abstractNumId"))
                own, starts = dict(levels.get(source, {})), {}
                for override in node:
                    at = number(override, "ilvl") if local(override) == "lvlOverride" else None
                    if at is None or at not in _LEVELS:
                        continue
                    if (level := child(override, "lvl")) is not None:
                        own[at] = _level(level)
                    if (start := number(child(override, "startOverride"))) is not None:
                        starts[at] = start
                self._lists[value(node, "numId") or ""] = _List(own, counts.setdefault(source, {}), starts)

    def label(self, list_id: str, level: int) -> str:
        """The number before the next paragraph of a list, including the space after it, if any."""
        found = self._lists.get(list_id)
        if found is None or level not in found.levels:
            return ""
        counts = found.counts
        here = found.levels[level]
        if level in found.starts:
            counts[level] = found.starts.pop(level)
        else:
            counts[level] = counts[level] + 1 if level in counts else here.start
        for deeper in [n for n in counts if n > level]:
            restart = found.levels[deeper].restart if deeper in found.levels else None
            if restart is None or 0 < level + 1 <= restart:
                del counts[deeper]
        if here.format == "none" and "%" not in here.text:
            return here.text
        if here.format == "bullet":
            return "•" if not here.text or "\ue000" <= here.text[0] <= "\uf8ff" else here.text

        def fill(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            if at not in found.levels:
                return ""
            count = counts.setdefault(at, found.levels[at].start)
            return spell(count, "decimal" if here.legal and at < level else found.levels[at].format)

        text = re.sub(r"%([1-9])", fill, here.text)
        # Chinese numbers end in punctuation of their own; Word's tab after them is layout.
        return text if here.suffix == "nothing" or not text or text[-1] in "、.．)）】〕，," else text + " "


def _levels(node: etree._Element) -> dict[int, _Level]:
    levels = {}
    for child_node in node:
        at = number(child_node, "ilvl") if local(child_node) == "lvl" else None
        if at is not None and at in _LEVELS:
            levels[at] = _level(child_node)
    return levels


def _level(node: etree._Element) -> _Level:
    start = number(child(node, "start"))
    return _Level(
        format=value(child(node, "numFmt")) or "decimal",
        text=(value(child(node, "lvlText")) or "")[:_LONGEST],
        start=0 if start is None else start,
        restart=number(child(node, "lvlRestart")),
        legal=child(node, "isLgl") is not None,
        suffix=value(child(node, "suff")) or "tab",
    )


def spell(count: int, style: str) -> str:
    """``count`` in Word's number format ``style``; unknown formats give Arabic digits."""
    if style in ("chineseCounting", "chineseCountingThousand", "taiwaneseCountingThousand", "japaneseCounting"):
        return _chinese(count, _HANZI, "十百千")
    if style in ("taiwaneseCounting", "ideographDigital", "japaneseDigitalTenThousand", "taiwaneseDigital"):
        return _chinese(count, _HANZI, "十百千") if style == "taiwaneseCounting" else _digits(count, _HANZI)
    if style in ("chineseLegalSimplified", "ideographLegalTraditional", "japaneseLegal"):
        return _chinese(count, _LEGAL, "拾佰仟")
    if style == "ideographTraditional" and 1 <= count <= 10:
        return "甲乙丙丁戊己庚辛壬癸"[count - 1]
    if style == "ideographZodiac" and 1 <= count <= 12:
        return "子丑寅卯辰巳午未申酉戌亥"[count - 1]
    if style.startswith("decimalEnclosedCircle") and 1 <= count <= 20:
        return chr(ord("①") + count - 1)
    if style == "decimalEnclosedParen" and 1 <= count <= 20:
        return chr(ord("⑴") + count - 1)
    if style == "decimalEnclosedFullstop" and 1 <= count <= 20:
        return chr(ord("⒈") + count - 1)
    if style in ("decimalFullWidth", "decimalFullWidth2"):
        return _digits(count, "０１２３４５６７８９")
    if style in ("lowerLetter", "upperLetter") and count > 0:
        letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 % 100 + 1)
        return letter if style == "lowerLetter" else letter.upper()
    if style in ("lowerRoman", "upperRoman") and 0 < count < 4000:
        return _roman(count) if style == "upperRoman" else _roman(count).lower()
    if style == "decimalZero":
        return f"{count:02}"
    return str(count)


def _digits(count: int, digits: str) -> str:
    return "".join(digits[int(d)] for d in str(abs(count)))


def _chinese(count: int, digits: str, units: str) -> str:
    if not 0 < count < 10_000:
        return _digits(count, digits)
    text = ""
    for power in (3, 2, 1, 0):
        digit = count // 10**power % 10
        if digit:
            text += digits[digit] + (units[power - 1] if power else "")
        elif text and not text.endswith(digits[0]) and count % 10**power:
            text += digits[0].replace("〇", "零")
    one = digits[1] + units[0]
    return text[1:] if text.startswith(one) and digits is _HANZI else text


def _roman(count: int) -> str:
    text = ""
    for worth, numeral in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    ):
        text += numeral * (count // worth)
        count %= worth
    return text
