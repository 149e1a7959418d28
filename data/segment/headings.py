"""Finds headings and run-in headings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .furniture import is_occasion
from .markers import RANKS
from .paragraphs import Paragraph
from .sentences import STOPS

TITLE = re.compile(
    r"报告|总结|要点|计划|意见|方案|汇报|讲话|决定|公报|通报|通知|思路|情况|年报|述职|规划|纲要|公告|致辞|说明|小结|打算"
)
_DATE = re.compile(r"[（(]?\s*[12〇○一二三四五六七八九零０-９0-9]{4}\s*年(?:.{1,4}月(?:.{1,4}日)?)?\s*[）)]?$")
_NAME = re.compile(r"(?:[\u4e00-\u9fff·]\s*){2,4}(?<![局厅委府部院办处])")
_BODY_END = re.compile(rf"[{STOPS}；;：:，,、…][”’」』）)】》\"]*$")
_ATTACHED = re.compile(r"附\s*+件?\s*+[：:]|附\s*+件\s*+[0-9一二三四五六七八九十]?\s*+[.、：:]")
_LONGEST = 200  # characters of any heading: a longer paragraph is text, even if marked up as a heading
_LONGEST_IN_WORDS = {"plain": 50, "arabic": 45, "arabic-bracket": 45, "circled": 45}
_LONGEST_NUMBERED = 90


def candidates(found: Sequence[Paragraph]) -> list[bool]:
    """For each paragraph, whether it stands alone as a heading does: short, without a full stop, with text below it."""
    alone = [_alone(p) for p in found]
    after_body = False  # going upwards: whether some text follows
    below: Paragraph | None = None
    for i in range(len(found) - 1, -1, -1):
        p = found[i]
        if p.kind == "furniture":
            continue
        if alone[i] and not p.hint.level:
            plain = p.marker is None
            if not after_body or (plain and below is not None and _DATE.match(below.body)):
                alone[i] = False  # a signature or a list at the end
        if not alone[i] and (_BODY_END.search(p.body) or len(p.body) > 50):
            after_body = True
        below = p
    unclosed = False
    for i, p in enumerate(found):
        if p.kind == "furniture":
            continue
        if unclosed and p.marker is None and not p.hint.level:
            alone[i] = False  # a piece of the broken sentence above it
        unclosed = not alone[i] and not _BODY_END.search(p.body) and len(p.body) > 12
    _unmark_lists(found, alone)
    return alone


def _alone(p: Paragraph) -> bool:
    if p.end - p.start > _LONGEST:
        return False
    if p.kind is not None:
        return p.kind == "heading"
    body = p.body
    if p.hint.level:
        return body[-1] not in STOPS
    style = p.marker.style if p.marker else "plain"
    if style in ("clause", "dash") or _DATE.match(body) or _ATTACHED.match(body):
        return False
    if len(body) > _LONGEST_IN_WORDS.get(style, _LONGEST_NUMBERED) or (p.marker and p.marker.length == len(body)):
        return False
    if body[-1] in "：:":
        return RANKS[style] <= RANKS["hanzi-bracket"] and style != "plain" and len(body) <= 30 and "。" not in body
    if style == "plain" and ("\t" in body or len(body) < 2 or not re.search(r"[\u4e00-\u9fffA-Za-z]", body)):
        return False
    return not _BODY_END.search(body) and not any(stop in body for stop in "。；！？")


def _unmark_lists(found: Sequence[Paragraph], alone: list[bool]) -> None:
    """Consecutive numbered lines with nothing between them are a list, not headings."""
    run: list[int] = []
    attached = False
    for i, p in enumerate([*found, None]):
        if p is not None and p.kind == "furniture":
            continue
        same = p is not None and alone[i] and p.marker and run and found[run[-1]].marker.style == p.marker.style  # type: ignore[union-attr]
        if not same:
            if len(run) > 1 and RANKS[found[run[-1]].marker.style] >= RANKS["arabic"]:  # type: ignore[union-attr]
                for j in run:
                    alone[j] = bool(found[j].hint.level)
            run = []
        if p is None:
            break
        if attached and alone[i] and p.marker and p.marker.style == "arabic":
            alone[i] = False
        else:
            attached = bool(_ATTACHED.match(p.body))
        if alone[i] and p.marker:
            run.append(i)


def occasions(found: Sequence[Paragraph], alone: Sequence[bool]) -> set[int]:
    """Lines around the title that name the speaker, the meeting or its date: furniture of the first page."""
    kinds: set[int] = set()
    office = False
    seen = 0
    for i, p in enumerate(found):
        if p.kind == "furniture":
            continue
        named = is_occasion(p.body) and not TITLE.search(p.body[-4:])
        if named or (office and _NAME.fullmatch(p.body)):  # a name below its office
            kinds.add(i)
        elif not alone[i] or (p.marker and p.marker.style != "dash") or seen > 8:
            break
        office = named
        seen += 1
    return kinds
