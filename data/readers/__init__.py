"""The formats that reports come in, told apart by content: a file's name says nothing certain."""

from __future__ import annotations

from ..errors import ReadError
from . import html, pdf, text, word
from .base import Extract, Format, Source

__all__ = ["FORMATS", "Extract", "Source", "detect"]

FORMATS = (
    Format("Word", word.matches, word.read),
    Format("PDF", pdf.matches, pdf.read),
    Format("web page", html.matches, html.read),
    Format("text", lambda data: True, text.read),
)
"""In the order they are tried; plain text is what is left."""

_BINARY = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word or WPS file"),
    (b"{\\rtf", "a rich-text file"),
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
    """The format of a file; raises ReadError for kinds that are no report."""
    for format in FORMATS[:-1]:
        if format.matches(source.data):
            return format
    for magic, what in _BINARY:
        if source.data.startswith(magic):
            raise ReadError(f"{source.name} is {what}, which is not read here; save it as .txt or .html")
    return FORMATS[-1]
