"""The formats of reports, recognised by content: a file's name proves nothing."""

from __future__ import annotations

from ...base.errors import ReadError
from . import html, mht, office, pdf, text, word
from .base import Extract, Format, Source

__all__ = ["FORMATS", "Extract", "Source", "detect"]

FORMATS: tuple[Format, ...] = (
    Format("Word 97, WPS, rich text or OpenDocument", office.matches, office.read),
    Format("Word", word.matches, word.read),
    Format("PDF", pdf.matches, pdf.read),
    Format("saved web page (.mht)", mht.matches, mht.read),
    Format("web page", html.matches, html.read),
    Format("text", lambda data: True, text.read),
)
"""In the order in which they are tried; anything else is plain text."""

_BINARY = (
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"Rar!", "an archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"\x1f\x8b", "an archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)


def detect(source: Source) -> Format:
    """The format of a file; raises ReadError for kinds of files that are not reports."""
    for format in FORMATS[:-1]:
        if format.matches(source.data):
            return format
    for magic, what in _BINARY:
        if source.data.startswith(magic):
            raise ReadError(f"{source.name} is {what}, not a report; save its text as .docx or .txt")
    return FORMATS[-1]
