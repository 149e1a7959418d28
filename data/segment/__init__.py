"""Splits a report's text into ranges: paragraphs, headings, page furniture and sentences."""

from __future__ import annotations

from collections.abc import Mapping

from ..report import Span
from .headings import candidates, occasions
from .outline import outline
from .paragraphs import Hint, paragraphs
from .sentences import split

__all__ = ["Hint", "outline", "spans"]


def spans(text: str, hints: Mapping[int, Hint] | None = None) -> list[Span]:
    """Sentences, headings and furniture of ``text``, in order, as ranges that never overlap.

    ``hints`` says what a format knows about a line, keyed by the offset of its first character that is not white space.
    """
    hints = hints or {}
    found = paragraphs(text, hints)
    alone = candidates(found)
    front = occasions(found, alone)
    kinds: list[Span] = []
    for i, p in enumerate(found):
        if p.kind == "furniture" or i in front:
            kinds.append(Span(p.start, p.end, "furniture"))
        elif alone[i]:
            kinds.append(Span(p.start, p.end, "heading"))
        else:
            kinds.extend(Span(start, end, "sentence") for start, end in split(text, p.start, p.end))
    return outline(text, kinds, hints)
