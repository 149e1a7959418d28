"""PDF with a text layer. The engine is native code that a hostile file may crash: strangers' are read by a process of
their own (``data.isolation``)."""

from __future__ import annotations

from importlib.util import find_spec

from ....base.errors import MissingExtraError, ReadError
from ..base import Extract, Source
from .engine import Refused, pages
from .layout import arrange


def matches(data: bytes) -> bool:
    """Whether this is a PDF; some have a few bytes of mail or printer control before it."""
    return b"%PDF-" in data[:1024]


def read(source: Source) -> Extract:
    """Lines joined to paragraphs, columns in order, running heads, feet and page numbers as furniture."""
    if find_spec("pypdfium2") is None:
        raise MissingExtraError(f"reading {source.name}, a PDF,", "pdf")
    try:
        return arrange(pages(source.data, source.limits.pages, source.limits.characters)).extract()
    except Refused as refused:
        raise ReadError(f"{source.name} {refused}") from None
