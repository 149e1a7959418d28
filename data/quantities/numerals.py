"""Numerals as reports write them, and their values: 1,234, 2.46, 3.2万, 1亿2000万, 一百二十三, 两万五, 九十九点六.

Values are decimal, so that 1.15万 is exactly 11500.
"""

from __future__ import annotations

import re
from decimal import Decimal

DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}

_PLAIN = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
_KILO = "(?![瓦克米卡伏帕焦赫])"
"""Characters that cannot follow 千: it would belong to the unit (千瓦)."""
_SCALE = rf"(?:[十百万亿]|千{_KILO})"
NUMERAL = (
    rf"(?:{_PLAIN}{_SCALE}{{1,2}}(?:[0-9]+{_SCALE}{{1,2}})*|{_PLAIN}"
    rf"|(?=[十{''.join(DIGITS)}])(?:[{''.join(DIGITS)}]|{_SCALE})+(?:点[{''.join(DIGITS)}]+[万亿]{{0,2}})?)"
)
"""A regular expression for one numeral, plain digits or Chinese; it holds no group. Not every match has a value."""

_TOKEN = re.compile(rf"(?P<plain>{_PLAIN})|(?P<digits>[{''.join(DIGITS)}]+)|(?P<unit>[{''.join(UNITS)}])|(?P<point>点)")
_LONGEST = 40


def number(text: str) -> Decimal | None:
    """The value of a numeral, or None if ``text`` is not one.

    A last digit right after a unit counts in tenths of that unit (``两万五`` 25000, ``三千八`` 3800), digits alone are
    read one by one (``二〇二五``), and a unit at the beginning counts once (``十``).
    """
    if not 0 < len(text) <= _LONGEST:
        return None
    total = section = Decimal(0)
    digit: Decimal | None = None
    last = 0  # the unit just read
    lowest = 0  # of 十, 百, 千 in this section, the smallest so far
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() != at:
            return None
        at = match.end()
        if match["plain"]:
            if digit is not None:
                return None
            digit, last = Decimal(match["plain"].replace(",", "")), 0
        elif match["digits"]:
            found = _digits(match["digits"], last, whole=match.span() == (0, len(text)))
            if digit is not None or found is None:
                return None
            digit = found
            if at == len(text) and last and not match["digits"].startswith(("零", "〇", "○")):
                digit *= last // 10
        elif match["point"]:
            decimals = re.fullmatch(r"点([零〇一二三四五六七八九]+)([万亿]{0,2})", text[match.start() :])
            if decimals is None or match.start() == 0:
                return None
            places = "".join(str(DIGITS[c]) for c in decimals[1])
            value = total + section + (digit or 0) + Decimal(f"0.{places}")
            for unit in decimals[2]:
                value *= UNITS[unit]
            return value
        else:
            unit = UNITS[match["unit"]]
            if unit < 10**4:
                if lowest and unit >= lowest:
                    return None
                section += (Decimal(1) if digit is None else digit) * unit
                lowest = unit
            else:
                section += digit or 0
                if match.start() == 0:  # 万 itself, 亿 itself
                    section = Decimal(1)
                directly = last >= 10**4 and digit is None and not lowest  # 万亿
                if 0 < total < unit or directly:
                    section, total = total + section, Decimal(0)
                total += section * unit
                section, lowest = Decimal(0), 0
            digit, last = None, unit
    return total + section + (digit or 0) if at == len(text) else None


def _digits(text: str, last: int, *, whole: bool) -> Decimal | None:
    """One digit, a 零 and one digit, or a whole numeral read digit by digit."""
    if whole:
        return Decimal("".join(str(DIGITS[c]) for c in text))
    if text in ("零", "〇", "○") or len(text) - (text[0] in "零〇○" and last > 0) == 1:
        return Decimal(DIGITS[text[-1]])
    return None


_NEIGHBOURS = re.compile(
    "(?<![零〇一二两三四五六七八九])(?:一二|一两|两三|二三|三四|四五|五六|六七|七八|八九)(?![零〇一二三四五六七八九点])"
)


def interval(text: str) -> tuple[Decimal, Decimal] | None:
    """Both ends of a range written as two digits side by side: ``两三百`` 200 to 300, ``十五六`` 15 to 16."""
    if len(text) > _LONGEST or (match := _NEIGHBOURS.search(text)) is None:
        return None
    at = match.start()
    low, high = number(text[: at + 1] + text[at + 2 :]), number(text[:at] + text[at + 1 :])
    return (low, high) if low is not None and high is not None else None
