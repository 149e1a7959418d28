"""The way back: from a range of the extracted text to the elements of the document that draw it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lxml import etree

Piece = tuple[etree._Element, str]
"""An element that draws text (``w:t``, ``w:tab``, ``w:noBreakHyphen`` …) and the text that it draws."""


class Place(NamedTuple):
    """The half-open range of characters of what ``node`` draws; a node without text of its own draws one character."""

    node: etree._Element
    start: int
    end: int


class _Passage(NamedTuple):
    start: int
    end: int
    pieces: Sequence[Piece]


class Places:
    """Where each paragraph and table row of the extracted text came from."""

    def __init__(self) -> None:
        self._passages: list[_Passage] = []

    def add(self, start: int, end: int, pieces: Sequence[Piece]) -> None:
        """Note that ``text[start:end]`` was made of ``pieces``, apart from white space and a number in front."""
        if start < end:
            self._passages.append(_Passage(start, end, pieces))

    def find(self, text: str, start: int, end: int) -> list[Place]:
        """The places of ``text[start:end]`` in the document's order, without white space around them.

        Empty where nothing is drawn by an element of its own: in an automatic number, in a header.
        """
        found: list[Place] = []
        first = max(0, bisect_right(self._passages, start, key=lambda passage: passage.start) - 1)
        for passage in self._passages[first:]:
            if passage.start >= end:
                break
            found += _inside(passage, text, max(start, passage.start), min(end, passage.end))
        return found


def _inside(passage: _Passage, text: str, start: int, end: int) -> list[Place]:
    # Reading changes white space and puts automatic numbers in front. So the characters that are none are counted
    # from the end, where both sides agree.
    behind = _solid(text[end : passage.end])
    inside = _solid(text[start:end])
    solid = [(i, at) for i, (_, piece) in enumerate(passage.pieces) for at, c in enumerate(piece) if not c.isspace()]
    last = len(solid) - behind
    if last <= max(0, last - inside):
        return []
    (first_piece, first_at), (last_piece, last_at) = solid[max(0, last - inside)], solid[last - 1]
    return list(_between(passage.pieces, first_piece, first_at, last_piece, last_at + 1))


def _between(pieces: Sequence[Piece], first: int, start: int, last: int, end: int) -> Iterator[Place]:
    for i in range(first, last + 1):
        node, piece = pieces[i]
        here = Place(node, start if i == first else 0, end if i == last else len(piece))
        if here.start < here.end:
            yield here


def _solid(text: str) -> int:
    return sum(not c.isspace() for c in text)
