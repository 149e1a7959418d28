"""Numbering at the start of a line: 第一部分, 一、, （一）, 第一，, 1., 1.1, （1）, ①, 一是, ——."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..quantities.numerals import number

RANKS = {
    "part": 1,
    "chapter": 2,
    "section": 3,
    "plain": 4,  # no number
    "hanzi": 5,
    "hanzi-bracket": 6,
    "ordinal": 7,
    "arabic": 8,
    "decimal2": 9,
    "decimal3": 10,
    "decimal4": 11,
    "arabic-bracket": 12,
    "circled": 13,
    "clause": 14,
    "dash": 15,
    "bold": 16,
}
"""The usual order of numbering styles, outermost first; a report's own order takes precedence."""


class Marker(NamedTuple):
    """A line's numbering: ``style`` is a key of ``RANKS``, ``number`` its value (dashes 0), ``length`` its width."""

    style: str
    number: int
    length: int


_HANZI = "[一二三四五六七八九十百〇零]{1,4}"
_COUNTED = "[年月日号时个名人项次件起家批期户条元万亿位只台场所辆届多余]"
_ARABIC = "[0-9０-９]{1,2}"
_MARKER = re.compile(
    rf"第\s?(?P<part>{_HANZI}|{_ARABIC})\s?(?:部分|编|篇)(?=[\s、，,:：.．]|$|[\u4e00-\u9fff])[\s、，,:：.．]*"
    rf"|第\s?(?P<chapter>{_HANZI}|{_ARABIC})\s?章[\s、，,:：.．]*"
    rf"|第\s?(?P<section>{_HANZI}|{_ARABIC})\s?节(?![课目能水电约省])[\s、，,:：.．]*"
    rf"|[（(]\s?(?P<hanzi_bracket>{_HANZI})\s?[）)][、.．]?\s*"
    rf"|第(?P<ordinal>{_HANZI})[，,、：:]\s*|其(?P<ordinal2>[一二三四五六])[，,、]\s*"
    rf"|(?P<clause>{_HANZI}|一条|二条|三条)(?:是|要|则)(?!否|求|素)[，,：:]?"
    rf"|(?P<hanzi>{_HANZI})\s?(?:、(?!{_HANZI}(?:季度|月|线|级|产|、))|[.．](?![0-9０-９]))\s*"
    rf"|(?P<decimal>[0-9０-９]{{1,2}}(?:[.．][0-9０-９]{{1,2}}){{1,3}})(?:[.．、]?[ \t\u3000\u00a0]+|[.．、])"
    rf"(?=[\u4e00-\u9fff“《])"
    rf"|[（(]\s?(?P<arabic_bracket>{_ARABIC})\s?[）)][、.．]?\s*|(?P<arabic_bracket2>{_ARABIC})[）)]\s*"
    rf"|(?P<arabic>{_ARABIC})\s?(?:、(?![0-9０-９]{{1,2}}(?:月|日|号|季度|年级|[、，]))|[.．，,](?![0-9０-９]))\s*"
    rf"|(?P<arabic2>[0-9]{{1,2}})[ \u3000\t]+(?=[\u4e00-\u9fff])(?!{_COUNTED})"
    rf"|(?P<circled>[①-⑳❶-❿⑴-⒇])[、.．]?\s*"
    rf"|(?P<dash>[—―─－-]{{2,4}}|[●◆■▲★◇○□•►➢\uf06c\uf0d8](?=\s?\S))\s*"
)
_STYLE = {
    "hanzi_bracket": "hanzi-bracket",
    "ordinal2": "ordinal",
    "arabic2": "arabic",
    "arabic_bracket": "arabic-bracket",
    "arabic_bracket2": "arabic-bracket",
}


def marker(line: str) -> Marker | None:
    """The numbering that ``line`` (without white space around it) begins with, or None."""
    match = _MARKER.match(line)
    if match is None or match.lastgroup is None:
        return None
    group, value = match.lastgroup, match[match.lastgroup]
    if group == "dash":
        return Marker("dash", 0, match.end())
    if group == "decimal":
        parts = re.split("[.．]", value)
        return Marker(f"decimal{len(parts)}", int(parts[-1]), match.end())
    style = _STYLE.get(group, group)
    if group == "circled":
        return Marker(style, next((ord(value) - ord(c) + 1 for c in "❶⑴①" if ord(value) >= ord(c)), 0), match.end())
    return Marker(style, _value(value), match.end())


def _value(numeral: str) -> int:
    """The number for counting; 0 if no list counts with this numeral, such as 十百."""
    if numeral[0].isdigit():
        return int(numeral)
    value = number(numeral.removesuffix("条"))
    return 0 if value is None else int(value)
