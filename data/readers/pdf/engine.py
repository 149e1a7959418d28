"""Pages to lines, from the characters and positions that PDFium reports."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass


class Refused(Exception):
    """Why a PDF cannot be read, worded to follow the file's name."""


@dataclass(slots=True)
class Line:
    """A line of one page, in points from the page's lower left corner.

    Attributes:
        text: its characters.
        left, right, bottom, top: the box around it.
        size: the font size of most of it.
        page: the page's number, counted from 0.
        word: the width of its first word that cannot be broken: a number or one character, with its punctuation.
    """

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    page: int
    word: float


@dataclass(frozen=True)
class Page:
    """A page's size and its lines in the order in which the file draws them."""

    width: float
    height: float
    lines: list[Line]


@dataclass(slots=True)
class _Char:
    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float


def pages(data: bytes, most_pages: int, most_characters: int) -> Iterator[Page]:
    """The pages in order; raises :class:`Refused` for what cannot or may not be read."""
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    try:
        document = pdfium.PdfDocument(data)
        count = len(document)
    except pdfium.PdfiumError as error:
        if "assword" in str(error) or "ecurity" in str(error):
            raise Refused("is protected by a password; save it without one") from None
        raise Refused("is a damaged or cut-off PDF: it cannot be opened") from None
    if count > most_pages:
        raise Refused(f"has {count:,} pages, more than the limit of {most_pages:,}; split it or raise --limit pages")
    left = most_characters
    drawn = read = 0
    for number in range(count):
        try:
            page = document[number]
            textpage = page.get_textpage()
        except pdfium.PdfiumError:
            continue  # only this page is damaged
        amount = textpage.count_chars()
        left -= amount
        if left < 0:
            raise Refused(f"has more characters than the limit of {most_characters:,}; split it")
        lines = list(_lines(_chars(textpage.raw, amount, raw), number))
        read += sum(len(line.text) for line in lines)
        drawn += any(True for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=2)) if not lines else 0
        yield Page(page.get_width(), page.get_height(), lines)
        textpage.close()
        page.close()
    if drawn and read < 20 * count:
        raise Refused("is a scanned PDF without a text layer; have its text recognised (OCR) first")
    if not read:
        raise Refused("is a PDF without any text")


def _chars(textpage: object, amount: int, raw: object) -> Iterator[_Char | None]:
    """The page's characters; None is a line break. Spaces that the engine added are dropped; gaps decide instead."""
    box = raw.FS_RECTF()  # type: ignore[attr-defined]
    place = ctypes.byref(box)
    unicode, generated = raw.FPDFText_GetUnicode, raw.FPDFText_IsGenerated  # type: ignore[attr-defined]
    # Loose boxes hold the advance, not the ink: a comma fills its square.
    char_box, font_size = raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetFontSize  # type: ignore[attr-defined]
    angle = raw.FPDFText_GetCharAngle  # type: ignore[attr-defined]
    for i in range(amount):
        code = unicode(textpage, i)
        if code in (10, 13):
            yield None
            continue
        if generated(textpage, i) == 1 or code == 0 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
            continue
        if 0.1 < angle(textpage, i) % 1.5708 < 1.47:  # a watermark across the page
            continue
        char_box(textpage, i, place)
        size = font_size(textpage, i) or box.top - box.bottom
        yield _Char(chr(code), box.left, box.right, box.bottom, box.top, size)


def _lines(chars: Iterator[_Char | None], page: int) -> Iterator[Line]:
    line: list[_Char] = []
    for char in chars:
        jump = char is not None and line and abs(char.bottom - line[-1].bottom) > 1.5 * max(char.size, line[-1].size, 4)
        if char is None or jump:
            yield from _finish(line, page)
            line = []
        if char is not None:
            line.append(char)
    yield from _finish(line, page)


def _finish(line: list[_Char], page: int) -> Iterator[Line]:
    """The line, or its pieces if wide gaps separate them: columns, the cells of a table."""
    seen = [char for char in line if not char.text.isspace()]
    if not seen:
        return
    sizes = sorted(char.size for char in seen)
    size = sizes[len(sizes) // 2] or 10.0
    piece: list[_Char] = []
    text = ""
    last: _Char | None = None
    for char in line:
        if char.text.isspace():
            text += char.text
            continue
        if char.text.isdigit() and char.size < 0.75 * size:  # a raised figure that refers to a footnote
            continue
        gap = 0.0 if last is None else char.left - last.right
        if gap > (3 if text[-1:].isspace() else 0.8) * size:
            yield _line(text, piece, size, page)
            piece, text = [], ""
        elif gap > 0.25 * size and not text[-1:].isspace() and max(text[-1], char.text) < "\u2e80":
            text += " "
        text += char.text
        piece.append(char)
        last = char
    if piece:
        yield _line(text, piece, size, page)


def _line(text: str, chars: list[_Char], size: float, page: int) -> Line:
    return Line(
        text=text.strip(),
        left=min(char.left for char in chars),
        right=max(char.right for char in chars),
        bottom=min(char.bottom for char in chars),
        top=max(char.top for char in chars),
        size=size,
        page=page,
        word=_first_word(chars),
    )


def _first_word(chars: list[_Char]) -> float:
    word = re.match(r"[-A-Za-z0-9.,%/+]*.?[，。；：！？、）》”’]?", "".join(char.text for char in chars), re.DOTALL)
    last = max(word.end() if word else 1, 1) - 1
    return chars[min(last, len(chars) - 1)].right - chars[0].left
