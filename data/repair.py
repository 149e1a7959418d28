"""Repairs text that copying has damaged; every character keeps its offset in the original text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_WIDE = _HAN + "，。、；：？！“”‘’（）《》〈〉【】〔〕「」『』…—"
_BREAK = r"[ \t\u00a0]*+(?:\r\n|[\r\n\v\f\x85\u2028\u2029])[\s\u200b-\u200d\ufeff]*+"
_SPACE = r"[ \u00a0\u2002-\u200a]++"
_INVISIBLE = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
_DROPPED = re.compile(
    # A line broken inside a sentence; a break between Latin words is matched whole, or all its parts would be tried.
    rf"(?<=[{_WIDE}0-9.%％]){_BREAK}|(?<!\s){_BREAK}(?:(?=[{_WIDE}])|(?P<stays>))"
    rf"|{_INVISIBLE}+"
    rf"|(?<=[{_WIDE}]){_SPACE}(?=[{_WIDE}0-9A-Za-z])|(?<=[0-9A-Za-z%％]){_SPACE}(?=[{_WIDE}])"
    rf"|(?<=[0-9]){_SPACE}(?=[%％])"
    r"|(?<=[0-9])[ \u00a0](?=[0-9]{3}(?![0-9]))|(?<=(?<![0-9])[0-9])[ \u00a0](?=[0-9](?![0-9]))"  # 1 874, 1 9 9 8
)
_BROKEN = re.compile(rf"(?<!\s){_BREAK}")
_FULL_WIDTH = {
    code: chr(code - 0xFEE0)
    for first, last in ("０９", "ＡＺ", "ａｚ", "％％", "＋＋")
    for code in range(ord(first), ord(last) + 1)
}
_UNSEEN = re.compile(_INVISIBLE)
_POINT = re.compile(r"(?<=[0-9])．(?=[0-9])")
_MARKS = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"}
_HALF = re.compile(rf"(?<=[{_HAN}”’》〉）\)])[,;:?!]|[,;?!](?=[{_HAN}“‘《（])|(?<=[{_HAN}”》])\)")
_BRACKET = re.compile(r"[()]")
_CHINESE = re.compile(f"[{_HAN}]")
_ENDS = "。！？；：…，、.!?;:,”’》）)"


@dataclass(frozen=True)
class Repaired:
    """Repaired text, and its mapping to the original.

    Attributes:
        text: the repaired text.
        origin: for each of its characters the offset of the original character; never decreasing.
        length: the length of the original.
    """

    text: str
    origin: tuple[int, ...]
    length: int

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The range of the original text from which ``text[start:end]`` was made."""
        if start >= end:
            at = self.origin[start] if start < len(self.origin) else self.length
            return at, at
        return self.origin[start], min(self.length, self.origin[end - 1] + 1)

    def mended(self, offset: int) -> int:
        """The offset in ``text`` of the first character that comes from ``offset`` or behind it."""
        return bisect_left(self.origin, offset)


def repair(text: str, *, close: bool = False) -> Repaired:
    """Repair one sentence.

    Removes line breaks, invisible characters, and spaces inside Chinese words and numbers; full-width letters and
    digits become half-width, half-width punctuation between Chinese characters becomes Chinese. Repairing twice changes
    nothing more.

    Args:
        close: add a missing full stop at the end, unless the sentence is short.
    """
    body, kept = text, list(range(len(text)))
    while True:  # dropping a character may bring two together that a space separates
        mended, kept = _mend(body, kept)
        if mended == body:
            break
        body = mended
    trimmed = body.rstrip()  # repairing again would remove a space before the full stop
    if close and len(trimmed) >= 20 and "，" in trimmed and trimmed[-1] not in _ENDS and "\t" not in trimmed:
        return Repaired(trimmed + "。", (*kept[: len(trimmed)], len(text)), len(text))
    return Repaired(body, tuple(kept), len(text))


def _mend(text: str, kept: list[int]) -> tuple[str, list[int]]:
    text, kept = _replaced(_DROPPED, text, kept, _left)
    text, kept = _replaced(_BROKEN, text, kept, lambda match: [(match.start(), " ")])
    text = text.translate(_FULL_WIDTH)
    opening = _opening(text)
    for pattern in (_POINT, _HALF):
        text = pattern.sub(lambda match: _MARKS.get(match[0], "."), text)
    if opening:
        chars = list(text)
        for at in opening:
            chars[at] = "（"
        text = "".join(chars)
    return text, kept


def _replaced(
    pattern: re.Pattern[str], text: str, kept: list[int], by: Callable[[re.Match[str]], Iterable[tuple[int, str]]]
) -> tuple[str, list[int]]:
    """``text`` with each match replaced by the characters and offsets that ``by`` returns; ``kept`` likewise."""
    pieces: list[str] = []
    places: list[int] = []
    at = 0
    for match in pattern.finditer(text):
        pieces.append(text[at : match.start()])
        places += kept[at : match.start()]
        for place, char in by(match):
            pieces.append(char)
            places.append(kept[place])
        at = match.end()
    if not at:
        return text, kept
    return "".join((*pieces, text[at:])), places + kept[at:]


def _left(dropped: re.Match[str]) -> Iterator[tuple[int, str]]:
    """What remains of a line break that is kept without its invisible characters; else nothing."""
    if dropped["stays"] is not None:
        yield from ((i, c) for i, c in enumerate(dropped[0], dropped.start()) if not _UNSEEN.match(c))


def _opening(text: str) -> list[int]:
    """The positions of opening brackets that become Chinese: those with Chinese text in them.

    A bracket that becomes Chinese does not close earlier ones, so they are decided from the last to the first.
    """
    found: list[int] = []
    chinese = False  # whether Chinese text comes before the next bracket that is kept
    end = len(text)
    for match in reversed(list(_BRACKET.finditer(text))):
        at = match.start()
        chinese = chinese or _CHINESE.search(text, at, end) is not None
        end = at
        if match[0] == "(":
            found += [at] * chinese
        elif not _HALF.match(text, at):
            chinese = False
    return found
