"""Traces a range of the extracted text back to the elements of the document that draw it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lxml import etree

Piece = tuple[etree._Element, str]
"""An element that draws text (``w:t``, ``w:tab``, ``w:noBreakHyphen`` …) and the text that it draws."""


class Place(NamedTuple):
    """Half-open range of the characters that ``node`` draws; a node without text of its own draws one character."""

    node: etree._Element
    start: int
    end: int


class _Passage(NamedTuple):
    start: int
    end: int
    pieces: Sequence[Piece]


class _Drawn(NamedTuple):
    """Where a character of the text is drawn: the index of the piece, and of the character in it."""

    piece: int
    at: int


class Places:
    """The source of each paragraph and table row of the extracted text."""

    def __init__(self) -> None:
        self._passages: list[_Passage] = []
        self._aligned: tuple[_Passage, list[int], list[_Drawn]] | None = None  # of the last passage looked up

    def add(self, start: int, end: int, pieces: Sequence[Piece]) -> None:
        """Record that ``text[start:end]`` was made from ``pieces``, apart from white space and a number in front."""
        if start < end:
            self._passages.append(_Passage(start, end, pieces))

    def find(self, text: str, start: int, end: int) -> list[Place]:
        """The places of ``text[start:end]`` in document order, without white space around them.

        Empty if no element draws the range itself: in an automatic number, in a header.
        """
        found: list[Place] = []
        first = max(0, bisect_right(self._passages, start, key=lambda passage: passage.start) - 1)
        for number in range(first, len(self._passages)):
            passage = self._passages[number]
            if passage.start >= end:
                break
            shown, drawn = self._align(passage, text)
            low, high = bisect_left(shown, start), bisect_left(shown, end)
            if low < high:
                found += _between(passage.pieces, drawn[low], drawn[high - 1])
        return found

    def _align(self, passage: _Passage, text: str) -> tuple[list[int], list[_Drawn]]:
        """Offsets of characters in the text, and for each of them where it is drawn."""
        if self._aligned is None or self._aligned[0] is not passage:
            # Reading changes white space and adds automatic numbers in front, so all other characters are matched from
            # the end.
            shown = [i for i in range(passage.start, passage.end) if not text[i].isspace()]
            pieces = enumerate(passage.pieces)
            drawn = [_Drawn(i, at) for i, (_, piece) in pieces for at, c in enumerate(piece) if not c.isspace()]
            both = min(len(shown), len(drawn))
            self._aligned = passage, shown[len(shown) - both :], drawn[len(drawn) - both :]
        return self._aligned[1], self._aligned[2]


def _between(pieces: Sequence[Piece], first: _Drawn, last: _Drawn) -> Iterator[Place]:
    for i in range(first.piece, last.piece + 1):
        node, piece = pieces[i]
        here = Place(node, first.at if i == first.piece else 0, last.at + 1 if i == last.piece else len(piece))
        if here.start < here.end:
            yield here
