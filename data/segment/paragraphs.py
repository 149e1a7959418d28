"""Joins lines to paragraphs: text copied from PDF or wiki pages breaks in mid-sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from ..records import Kind
from .furniture import is_furniture, is_licence, is_table_row
from .markers import Marker, marker
from .sentences import SPACE, STOPS

_LINE = re.compile(r"([^\r\n\v\f\u2028\u2029\x85]*)(?:\r\n|[\r\n\v\f\u2028\u2029\x85]|\Z)")
_ENDS = STOPS + "；;：:…"
_CLOSERS = '”’」』》）)】〕"'
_STARTS_INSIDE = "》”’」』），,、。；;：:！？）)】〕%％℃"
_ENDS_INSIDE = "，,、《“‘（(「『〔"
_LONGEST = 5000  # a paragraph is never joined beyond this
_OPENED = re.compile(r"[《（(“‘「『〔]")
_CLOSED = re.compile(r"[》）)”’」』〕]")


@dataclass(frozen=True, slots=True)
class Hint:
    """What a file format knows about a line, keyed by the line's first character.

    Attributes:
        kind: what the line is, if the format says so; None lets its words decide.
        level: outline level of a heading, 1 the outermost; 0 lets the numbering decide.
        bold: how many characters at its start are bold, as in a run-in heading.
    """

    kind: Kind | None = None
    level: int = 0
    bold: int = 0


@dataclass(slots=True)
class Paragraph:
    """One or more lines that form one paragraph.

    Attributes:
        start, end: its range, without white space around it; line breaks inside it are in mid-sentence.
        body: its text without line breaks.
        marker: the numbering at its beginning.
        kind: what it is, if its words or the format say so; None if not known yet.
        hint: what the format knows about it.
    """

    start: int
    end: int
    body: str
    marker: Marker | None
    kind: Kind | None
    hint: Hint


NO_HINT = Hint()


@dataclass(slots=True)
class _Line:
    start: int
    end: int
    text: str
    indent: int
    gap: int  # blank lines before it

    @property
    def width(self) -> int:
        """Columns that it fills: a Chinese character fills two."""
        return 2 * (self.indent + len(self.text)) - len(self.text.encode("ascii", "ignore"))


def paragraphs(text: str, hints: Mapping[int, Hint]) -> list[Paragraph]:
    """The paragraphs of ``text`` in order."""
    lines = list(_lines(text))
    spaced = _blank_lines_part(lines)
    wrap = None if hints else _wrap(lines)
    found: list[Paragraph] = []
    last: _Line | None = None
    licence = False
    for line in lines:
        hint = hints.get(line.start, NO_HINT)
        licence = licence or is_licence(line.text)
        above = found[-1] if found else None
        if above and last and _continues(above, last, line, hint, spaced, wrap):
            above.end = line.end
            # A break between two Latin words is a space; in Chinese it is nothing.
            glue = " " if above.body[-1:].isascii() and above.body[-1:].isalnum() and line.text[0].isascii() else ""
            above.body += glue + line.text
            if above.marker is None or above.marker.length >= len(above.body) - len(line.text):
                above.marker = marker(above.body)
        else:
            kind = hint.kind or ("furniture" if licence else _kind(line.text))
            found.append(Paragraph(line.start, line.end, line.text, marker(line.text), kind, hint))
        last = line
    return found


def _kind(line: str) -> Kind | None:
    if is_furniture(line):
        return "furniture"
    row = is_table_row(line)
    return None if row is None else "sentence" if row else "furniture"


def _lines(text: str) -> Iterator[_Line]:
    gap = 0
    for match in _LINE.finditer(text):
        raw = match[1]
        body = raw.strip(SPACE)
        if body:
            start = match.start() + len(raw) - len(raw.lstrip(SPACE))
            yield _Line(start, start + len(body), body, start - match.start(), gap)
            gap = 0
        elif not raw.strip():
            # A line with only a zero-width character is left over from mark-up and does not count as a blank line.
            gap += 1


def _blank_lines_part(lines: list[_Line]) -> bool:
    """Whether blank lines separate the paragraphs, so that a single line break may be in mid-sentence."""
    after = [b.gap > 0 for a, b in pairwise(lines) if a.text.rstrip(_CLOSERS)[-1:] in STOPS]
    return len(after) > 2 and sum(after) >= 0.7 * len(after)


class _Wrap(NamedTuple):
    """How a text was wrapped: lines of ``width`` or more are full, paragraphs are indented by more than ``margin``."""

    width: int
    margin: int
    indented: bool


def _wrap(lines: list[_Line]) -> _Wrap | None:
    """How the lines were wrapped, or None if they were not: wrapped lines have equal width and end anywhere."""
    widths = [line.width for line in lines]
    common = Counter(width for width in widths if 32 <= width <= 140)
    width = max((w for w in common if sum(common[w - n] for n in range(5)) > 1), default=0)
    full = [line for line in lines if width - 4 <= line.width <= width]
    broken = sum(line.text[-1] not in _ENDS + _CLOSERS for line in full)
    wider = sum(w > width + 2 for w in widths)
    if len(full) < 2 or 20 * len(full) < len(lines) or 2 * broken < len(full) or 20 * wider > len(lines):
        return None
    margin = Counter(line.indent for line in lines).most_common(1)[0][0]
    return _Wrap(
        width - 8,
        margin,  # a long number that does not fit leaves a gap
        any(line.indent > margin for line in lines),
    )


def _continues(above: Paragraph, last: _Line, line: _Line, hint: Hint, spaced: bool, wrap: _Wrap | None) -> bool:
    """Whether ``line`` continues the sentence that ``above``, whose last line is ``last``, left unfinished."""
    body, text = above.body, line.text
    if above.kind or hint.kind or hint.level or above.hint.level or line.gap > 1 or len(body) > _LONGEST:
        return False
    full = wrap is not None and last.width >= wrap.width
    end = body.rstrip(_CLOSERS)[-1:]  # empty if there are only closing marks, which counts as a stop
    closed = end in _ENDS
    if closed and (not full or end in STOPS or marker(text)):
        return False
    inside = _inside(body)
    if is_furniture(text) and not inside and not (text.isdigit() and body[-1].isascii() and body[-1].isalpha()):
        return False
    if above.marker is not None and above.marker.length == len(body):  # a number alone on its line
        return line.gap == 0
    if not closed and (text[0] in _STARTS_INSIDE or body[-1] in _ENDS_INSIDE):
        return line.gap == 0 or marker(text) is None
    if line.gap:
        return False
    if inside and _CLOSED.search(text):
        return True
    numbered = marker(text) is not None
    if wrap:
        return full and line.indent <= wrap.margin and (wrap.indented or not numbered)
    if numbered or not spaced or line.indent > last.indent:
        return False
    return not (above.marker and len(body) <= 60 and above.marker.style not in ("clause", "dash"))


def _inside(body: str) -> bool:
    """Whether a quotation or bracket is open at the end of ``body``."""
    tail = body[-160:]
    return len(_OPENED.findall(tail)) > len(_CLOSED.findall(tail))
