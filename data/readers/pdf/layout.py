"""Lines of pages to paragraphs: handles rows, columns, running heads and feet, notes, and wrapped lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from statistics import median

from ...segment import Hint
from ...segment.furniture import is_page_number
from ...segment.markers import marker
from ..base import Lines
from .engine import Line, Page

_EDGE = 0.12  # share of the page's height, at top and bottom, for running heads and feet
_HEAD = 0.065  # above any body text
_STOPPED = re.compile(r"[。！？!?][”’）)]?$")
_CLOSED = "。！？；：!?;:”’）"
_FURNITURE = Hint("furniture")
_ROW = Hint("sentence")


def arrange(pages: Iterable[Page]) -> Lines:
    """The paragraphs of the document in reading order."""
    kept = list(pages)
    heads = _running(kept)
    body = _body_size(kept)
    everywhere = _margins([line for page in kept for line in page.lines], body)
    indents = [(line.left - everywhere[0]) / body for page in kept for line in page.lines]
    indented = 10 * sum(1.2 < indent < 3 for indent in indents) > len(indents)
    writer = _Writer(body, indented)
    for page in kept:
        edges = [line for line in page.lines if _is_edge(page, line) and _is_running(page, line, heads, body)]
        aside = set(map(id, edges))
        notes = _notes(page, [line for line in page.lines if id(line) not in aside], body)
        aside.update(map(id, notes))
        lines, middle = _in_columns(page, [line for line in page.lines if id(line) not in aside])
        sides = (
            [lines] if middle is None else [[x for x in lines if (x.left > middle) == right] for right in (False, True)]
        )
        margins = [_margins(side, body) if len(side) > 15 else everywhere for side in sides]
        writer.page(_rows(lines), edges, notes, middle, margins)
    writer.end()
    return writer.lines


def _key(line: Line) -> str:
    return re.sub(r"[0-9０-９]+", "#", "".join(line.text.split()))


def _is_edge(page: Page, line: Line) -> bool:
    return line.bottom > page.height * (1 - _EDGE) or line.top < page.height * _EDGE


def _running(pages: list[Page]) -> set[str]:
    """Text at the edge of at least three pages, or of both of two pages, ignoring digits."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_key(line) for line in page.lines if _is_edge(page, line)})
    least = min(3, max(2, len(pages)))
    return {key for key, count in seen.items() if count >= least}


def _is_running(page: Page, line: Line, heads: set[str], body: float) -> bool:
    at_top = line.bottom > page.height * (1 - _EDGE)
    head = at_top and (line.size <= 0.85 * body or line.bottom > page.height * (1 - _HEAD))
    return is_page_number(line.text) or _key(line) in heads or head


def _body_size(pages: list[Page]) -> float:
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _notes(page: Page, lines: list[Line], body: float) -> list[Line]:
    """Small print at the foot of the page, below all lines of body size."""
    lowest = min((line.bottom for line in lines if line.size > 0.85 * body), default=0.0)
    return sorted(
        (line for line in lines if line.top < lowest and line.size <= 0.85 * body and line.top < page.height / 2),
        key=lambda line: -line.top,
    )


def _in_columns(page: Page, lines: list[Line]) -> tuple[list[Line], float | None]:
    """The lines from top to bottom; of two columns, the left one first."""
    ordered = sorted(lines, key=lambda line: (-line.bottom, line.left))
    middle = page.width / 2
    left = [line for line in lines if line.right < middle + 6]
    right = [line for line in lines if line.left > middle - 6]
    if not (_is_column(left) and _is_column(right) and len(left) + len(right) > 0.8 * len(lines)):
        return ordered, None
    # Lines across both columns divide the page into bands.
    bands: list[list[Line]] = [[]]
    for line in ordered:
        if line.right >= middle + 6 and line.left <= middle - 6:
            bands += [[line], []]
        else:
            bands[-1].append(line)
    in_order = [x for band in bands for x in sorted(band, key=lambda line: (line.left > middle - 6, -line.bottom))]
    return in_order, middle - 6


def _is_column(lines: list[Line]) -> bool:
    return len(lines) > 5 and median(len(line.text) for line in lines) >= 10


def _rows(lines: list[Line]) -> list[Line]:
    """Joins pieces at the same height, in reading order, to one line with tabs: the cells of a table."""
    heights: list[list[Line]] = []
    for line in lines:
        first = heights[-1][0] if heights else None
        overlap = 0.0 if first is None else min(first.top, line.top) - max(first.bottom, line.bottom)
        if first is not None and overlap > 0.5 * min(first.top - first.bottom, line.top - line.bottom):
            heights[-1].append(line)
        else:
            heights.append([line])
    return [row for pieces in heights for row in _row(sorted(pieces, key=lambda line: line.left))]


def _row(pieces: list[Line]) -> list[Line]:
    found: list[Line] = []
    for line in pieces:
        above = found[-1] if found else None
        if above is None or line.left < above.right - 2:
            found.append(line)
            continue
        near = line.left - above.right < 0.8 * max(above.size, line.size)
        if not (near and line.text.isdigit() and line.size < 0.75 * above.size):  # a raised figure is a note's
            above.text += ("" if near else "\t") + line.text
            above.right, above.top = line.right, max(above.top, line.top)
            above.bottom = min(above.bottom, line.bottom)
    return found


class _Writer:
    """Joins lines to paragraphs, also across pages; heads, feet and notes are held back until a paragraph ends."""

    def __init__(self, body: float, indented: bool) -> None:
        self.lines = Lines()
        self._body = body
        self._indented = indented
        self._open: list[Line] = []
        self._right = 0.0
        self._waiting: list[tuple[str, Hint | None]] = []

    def page(
        self,
        lines: list[Line],
        edges: list[Line],
        notes: list[Line],
        middle: float | None,
        margins: list[tuple[float, float]],
    ) -> None:
        """Add a page: its lines, the text at its edges, its notes, where its columns begin and end."""
        top = [line for line in edges if not lines or line.bottom > lines[0].bottom]
        self._wait((line.text, _FURNITURE) for line in top)
        for line in lines:
            side = margins[-1] if middle is not None and line.left > middle else margins[0]
            if self._open and self._continues(line, side):
                self._open.append(line)
                continue
            self._flush()
            self._open = [line]
            self._right = side[1]
        self._wait((text, None) for text in _note_texts(notes))
        self._wait((line.text, _FURNITURE) for line in edges if line not in top)

    def end(self) -> None:
        self._flush()

    def _wait(self, texts: Iterable[tuple[str, Hint | None]]) -> None:
        self._waiting += texts
        if not self._open:
            self._release()

    def _flush(self) -> None:
        if self._open:
            text = _join(line.text for line in self._open)
            self.lines.add(text, _ROW if re.search(r"\t[-+]?[0-9][0-9,.%]*$", text) and len(self._open) == 1 else None)
            self._open = []
        self._release()

    def _release(self) -> None:
        for text, hint in self._waiting:
            self.lines.add(text, hint)
        self._waiting = []

    def _continues(self, line: Line, margins: tuple[float, float]) -> bool:
        last = self._open[-1]
        left = margins[0]
        if "\t" in line.text or "\t" in last.text:
            return False
        if abs(line.size - last.size) > 0.12 * last.size:
            return False
        new_page = line.page != last.page or line.bottom > last.top  # or a new column
        if not new_page and last.bottom - line.top > 1.6 * line.size:
            return False
        # Use the margin of the line's own column, and the text that would have had to fit into the rest of the line.
        full = last.right + max(2.2 * last.size, line.word + last.size) > self._right
        if last.size > 1.15 * self._body and not new_page:  # a title in two centred lines
            return last.text[-1] not in _CLOSED and marker(line.text) is None
        if not full or line.left > left + 1.2 * line.size:
            return False
        if not self._indented and _STOPPED.search(last.text):  # there is no other sign that a paragraph begins
            return False
        return not (marker(line.text) and last.text[-1] in _CLOSED)


def _margins(lines: list[Line], body: float) -> tuple[float, float]:
    """Where full lines of body size begin and end."""
    plain = [line for line in lines if abs(line.size - body) < 0.12 * body and "\t" not in line.text]
    if not plain:
        return 0.0, 0.0
    lefts = Counter(round(line.left / 4) for line in plain)
    often = [place * 4.0 for place, count in lefts.items() if count > 1] or [min(line.left for line in plain)]
    furthest = max(line.right for line in plain)
    # Full lines end within a character's width of each other: in some, punctuation hangs over the margin.
    return min(often), median(line.right for line in plain if line.right > furthest - 2 * body)


def _note_texts(notes: list[Line]) -> list[str]:
    texts: list[str] = []
    for line in notes:
        number = re.match(r"(?:\[[0-9]{1,3}\]|[0-9]{1,3}(?![0-9年月.．、])|[①-⑳])\s*", line.text)
        if number and number.end() < len(line.text):
            texts.append(line.text[number.end() :])
        elif texts and texts[-1][-1] not in _CLOSED:
            texts[-1] = _join((texts[-1], line.text))
        else:
            texts.append(line.text)
    return texts


def _join(texts: Iterable[str]) -> str:
    joined = ""
    for text in texts:
        latin = joined[-1:].isascii() and joined[-1:].isalpha() and text[0].isascii() and text[0].isalpha()
        joined += (" " if latin else "") + text
    return joined
