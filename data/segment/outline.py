"""The depth of headings and run-in headings, from their numbering and from how the report nests its numberings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..report import Span
from .headings import TITLE
from .markers import RANKS, marker
from .paragraphs import NO_HINT, Hint
from .sentences import SPACE

_RUN_IN = 45  # longest first sentence of a paragraph, in characters, that counts as a run-in heading
_LONGEST_TITLE = 2000  # characters above the text that are searched for a repeated title
_LEAF = re.compile(r"(?:前|引|序|导|弁)\s*言|导\s*语|结束语|结\s*语|后\s*记|附\s*[录件表][一二三四五六0-9]{0,2}")
_PART = re.compile(
    r"^(?:[12][0-9]{3}年|今年|去年|明年|下一步|过去|今后|[上下]半年|[“]?十[一二三四五]五).{0,24}$"
    r"|(?:回顾|总结|思路|打算|计划|任务|部署|安排|目标|要求|问题|不足|差距|建议|展望|成绩|成效|体会|措施)$"
)
_BREAK = re.compile(r"\r\n|[\r\n\v\f\u2028\u2029\x85]")
_OWN_PARAGRAPH = ("clause", "ordinal", "dash")
"""Run-in headings of these styles head their own paragraph; 1. and （一） head all until the next number."""


def outline(text: str, spans: Sequence[Span], hints: Mapping[int, Hint] | None = None) -> list[Span]:
    """``spans`` of ``text``, whose kinds are known, with ``level`` and ``reach`` set.

    The title heads nothing. A short first sentence of a paragraph that has a number (``1.深化流程再造。``) or is bold
    heads the text after it and remains a sentence.
    """
    hints = hints or {}
    titles = _titles([text[s.start : s.end] if s.kind == "heading" else None for s in spans if s.kind != "furniture"])
    levels = _Levels()
    styles = _styles(text, spans, hints, titles)
    placed: list[Span] = []
    for i, span in enumerate(spans):
        body = text[span.start : span.end]
        hint = hints.get(span.start, NO_HINT)
        if span.kind == "heading" and body not in titles:
            style, number = styles[i]
            span = span._replace(level=levels.place(style, number, True))
        elif span.kind == "sentence" and len(body) <= _RUN_IN and _begins_line(text, span.start):
            found = marker(body)
            if body[-1] not in "。．.！" or (found and found.length >= len(body) - 1):
                pass
            elif hint.level and found is None:
                span = span._replace(level=levels.place(f"outline{hint.level}", 0, True))
            elif found:
                level = levels.place(found.style, found.number, False)
                reach = _paragraph_end(text, spans, i) if found.style in _OWN_PARAGRAPH else 0
                span = span._replace(level=level, reach=reach)
            elif hint.bold >= len(body) - 1:
                span = span._replace(level=levels.place("bold", 0, False), reach=_paragraph_end(text, spans, i))
        placed.append(span)
    return placed


def _styles(
    text: str, spans: Sequence[Span], hints: Mapping[int, Hint], titles: set[str]
) -> dict[int, tuple[str, int]]:
    """For each heading but the title: the style that determines its depth, and its number."""
    found: dict[int, tuple[str, int]] = {}
    outlines: dict[str, set[int]] = {}
    plain: list[int] = []
    for i, span in enumerate(spans):
        body = text[span.start : span.end]
        if span.kind != "heading" or body in titles:
            continue
        numbered = marker(body)
        level = hints.get(span.start, NO_HINT).level
        found[i] = (numbered.style, numbered.number) if numbered else (f"outline{level}" if level else "plain", 0)
        if numbered and level:
            outlines.setdefault(numbered.style, set()).add(level)
        if found[i][0] == "plain":
            found[i] = ("leaf", 0) if _LEAF.fullmatch(body) else found[i]
            plain.append(i)
    # Outline levels count if each numbering has its own; if all headings share one, they mean nothing.
    if len(set().union(*outlines.values())) == len(outlines) == sum(map(len, outlines.values())):
        for i in found:
            if level := hints.get(spans[i].start, NO_HINT).level:
                found[i] = (f"outline{level}", found[i][1])
    # Headings without numbers, such as "2019年工作回顾" and "2020年工作思路", rank above the headings between them.
    parts = {i for i in plain if _PART.search(text[spans[i].start : spans[i].end])}
    if len(parts) > 1 and plain[0] in parts and len(parts) < len(plain):
        for i in plain:
            if i not in parts and found[i][0] == "plain":
                found[i] = ("plain-minor", 0)
    return found


def _titles(bodies: Sequence[str | None]) -> set[str]:
    """The headings that form the report's title: all above the text, down to the one that is named like a report."""
    top: list[str] = []
    for body in bodies:
        if body is None or marker(body):
            break
        top.append(body)
    named = [i for i, body in enumerate(top) if TITLE.search(body)]
    if not named:
        return set(top[:1])
    first = named[0]
    titles = set(top[: first + 1])
    if first + 1 in named and len(_bare(top[first])) <= 16 and not _bare(top[first]).endswith("报告"):
        titles.add(top[first + 1])  # a title set in two lines
    bare = _bare("".join(top[: first + 1]))[-_LONGEST_TITLE:]
    return titles | {body for body in top if _bare(body) in bare or bare in _bare(body)}


def _bare(text: str) -> str:
    return re.sub(r"[\s\W]+", "", text)


def _begins_line(text: str, start: int) -> bool:
    while start and text[start - 1] in SPACE:
        start -= 1
        if text[start] in "\n\r\f\v\x85\u2028\u2029":
            return True
    return start == 0


def _paragraph_end(text: str, spans: Sequence[Span], first: int) -> int:
    """The end of the paragraph of ``spans[first]``; a run-in heading alone on its line includes the next paragraph."""
    last = first
    crossed = False
    while last + 1 < len(spans) and spans[last + 1].kind == "sentence":
        if _BREAK.search(text, spans[last].end, spans[last + 1].start):
            following = text[spans[last + 1].start : spans[last + 1].end]
            if crossed or last > first or marker(following):
                break
            crossed = True
        last += 1
    return spans[last].end


class _Levels:
    """Assigns each heading its depth.

    A style that is open keeps its depth. A new one goes below the styles that rank higher in the usual order, with two
    exceptions that the report itself makes: a style that starts with its number one below a heading that usually
    ranks lower (一、 under （一）) stays nested there, and headings without a number keep their first depth.
    """

    def __init__(self) -> None:
        self._open: list[tuple[str, bool]] = []  # style, whether it is on its own line
        self._above: dict[str, str | None] = {}  # for the exceptions: each style's parent

    def place(self, style: str, number: int, own_line: bool) -> int:
        """The level of the next heading, 1 the outermost."""
        if style == "leaf" or (self._open and self._open[0][0] == "leaf"):
            self._open = []
        styles = [s for s, _ in self._open]
        if style in styles:
            del self._open[styles.index(style) :]
        elif style in self._above and (self._above[style] is None or self._above[style] in styles):
            above = self._above[style]
            del self._open[0 if above is None else styles.index(above) + 1 :]
        else:
            self._pop_to(style, number == 1 and own_line)
        self._open.append((style, own_line))
        return len(self._open)

    def _pop_to(self, style: str, first: bool) -> None:
        rank = _rank(style)
        if style == "plain":
            while self._open and _rank(self._open[-1][0]) > RANKS["hanzi"]:
                self._open.pop()
            self._above[style] = self._open[-1][0] if self._open else None
            return
        while self._open and _rank(self._open[-1][0]) >= rank:
            if first and rank > RANKS["plain"] and self._open[-1][1]:
                self._above[style] = self._open[-1][0]
                return
            self._open.pop()


def _rank(style: str) -> float:
    if style.startswith("outline"):
        return RANKS["section"] + int(style[7:]) / 10
    return RANKS["plain"] + 0.5 if style == "plain-minor" else RANKS.get(style, 0)
