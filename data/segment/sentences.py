"""Finds the ends of sentences inside one paragraph.

A sentence ends at 。！？, closing quotes and brackets included, at the semicolon before an enumerator (一是…；二是…)
and at the paragraph's end; never inside 《》, brackets or quotation marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

STOPS = "。！？!?｡"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
SPACE = (
    " \t\r\n\f\v\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000" + INVISIBLE
)
_PAIRS = {
    "“": "”", "‘": "’", "「": "」", "『": "』", "《": "》", "〈": "〉", "（": "）", "(": ")",
    "【": "】", "〔": "〕", "［": "］", "[": "]", "〖": "〗",
}  # fmt: skip
_OPENER = {closer: opener for opener, closer in _PAIRS.items()}
_MIXED = {"（": "(", "(": "（", "［": "[", "[": "［"}  # half-width and full-width brackets close each other
_QUOTES = '“‘「『"'
# A pair of quotes further apart than this is two typing errors and not a quotation.
_LONGEST = {"《": 150, "〈": 150, "“": 400, "‘": 200, "「": 400, "『": 200, '"': 400}
_LONGEST_BRACKET = 200

_MARK = re.compile(r"[“”‘’「」『』《》〈〉（）()【】〔〕［］\[\]〖〗\"]")
_NUMERAL = "[一二三四五六七八九十]{1,3}"
ENUMERATOR = (
    rf"(?:{_NUMERAL}(?:是|要|则|、)|第{_NUMERAL}(?:[，,、是]|方面)|其{_NUMERAL}[，,、是]"
    rf"|[（(](?:{_NUMERAL}|[0-9０-９]{{1,2}})[）)]|[0-9０-９]{{1,2}}(?:[、．]|\.(?![0-9]))|[①-⑳])"
)
_END = re.compile(
    rf"[。！？｡]+|(?<![A-Za-z0-9/])[!?]+|[!?]+(?![A-Za-z0-9=&/])|[；;](?=\s*{ENUMERATOR})|(?:……|…)(?=\s*(?:这|那|为此|对此|但|然而))"
)
# Half-width or full-width points as full stops, on pages that have no other stops.
_POINT = re.compile(r"(?<=[\u4e00-\u9fff”》）)])[.．](?=\s*(?:[\u4e00-\u9fff“《（]|$))")
_CLOSERS = "”’」』》〉）)】〕］]〗"
_BEHIND = SPACE + _CLOSERS
_CONTINUES = "，,、；;：:。！？）)》”’…%％"
_CLINGS = "的等和与及之为是或在到中上下里来"


def split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Ranges of the sentences of the paragraph ``text[start:end]``, without white space around them."""
    piece = text[start:end]
    begin = 0
    for stop in _ends(piece):
        if bounds := _trim(piece, begin, stop):
            yield start + bounds[0], start + bounds[1]
            begin = stop
    if bounds := _trim(piece, begin, len(piece)):
        yield start + bounds[0], start + bounds[1]


def _trim(piece: str, begin: int, stop: int) -> tuple[int, int] | None:
    while begin < stop and piece[begin] in SPACE:
        begin += 1
    while stop > begin and piece[stop - 1] in SPACE:
        stop -= 1
    return (begin, stop) if begin < stop else None


def _ends(piece: str) -> list[int]:
    """Offsets just behind each sentence, except the paragraph's own end."""
    closed = _closed(piece)
    found = [(match.start(), match.end()) for match in _END.finditer(piece)]
    if "。" not in piece:
        found += [(m.start(), m.end()) for m in _POINT.finditer(piece) if m.start() > 3]
        found.sort()
    ends: list[int] = []
    at = 0  # the first pair that may still hold the stop
    for begin, stop in found:
        if ends and begin < ends[-1]:
            continue
        while at < len(closed) and closed[at][1] < begin:
            at += 1
        if at < len(closed) and closed[at][0] < begin:
            opened, close = closed[at]
            if piece[stop:close].strip(_BEHIND) or not _ends_with(piece, opened, stop, close):
                continue
            stop = close + 1
        while stop < len(piece) and piece[stop] in _CLOSERS:  # also stray ones: 。” without its “
            stop += 1
        ends.append(stop)
    return ends


def _ends_with(piece: str, opened: int, stop: int, close: int) -> bool:
    """Whether the sentence ends with the quotation or bracket whose last character is a full stop."""
    after = close + 1
    while after < len(piece) and piece[after] in _BEHIND:
        after += 1
    if after == len(piece):
        return True
    if piece[after] in _CONTINUES:
        return False
    if piece[opened] not in _QUOTES:
        return piece[opened] in "（(" and piece[after] not in _CLINGS
    before = opened - 1
    while before >= 0 and piece[before] in SPACE:
        before -= 1
    if before < 0 or piece[before] in "：:" + STOPS:  # a full quotation, after a colon or on its own
        return True
    # Inside a clause (“怎么办？”的疑问) only a full stop can end the sentence.
    return piece[stop - 1] in "。｡" and piece[after] not in _CLINGS


def _closed(piece: str) -> list[tuple[int, int]]:
    """Outermost pairs of quotes and brackets, in order; unpaired marks are skipped."""
    straight = piece.count('"') % 2 == 0
    waiting: list[tuple[str, int]] = []
    quoted = 0  # straight quotes among the open ones
    pairs: list[tuple[int, int]] = []
    for match in _MARK.finditer(piece):
        mark, at = match[0], match.start()
        if mark == '"':
            if not straight:
                continue
            if not quoted:
                waiting.append((mark, at))
                quoted += 1
                continue
            opener = mark
        elif mark in _PAIRS:
            waiting.append((mark, at))
            continue
        else:
            opener = _OPENER[mark]
        for depth in range(len(waiting) - 1, max(-1, len(waiting) - 9), -1):
            opened, place = waiting[depth]
            if opened == opener or _MIXED.get(opened) == opener:
                quoted -= sum(m == '"' for m, _ in waiting[depth:])
                del waiting[depth:]
                if at - place <= _LONGEST.get(opened, _LONGEST_BRACKET):
                    pairs.append((place, at))
                break
    pairs.sort()
    outer: list[tuple[int, int]] = []
    for pair in pairs:
        if not outer or pair[0] > outer[-1][1]:
            outer.append(pair)
    return outer
