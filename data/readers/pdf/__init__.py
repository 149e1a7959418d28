"""PDF with a text layer. A hostile file may crash the engine, which is native code, so strangers' files are read in a
separate process (``data.isolation``)."""

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
    """Lines are joined to paragraphs and columns put in order; running heads, feet and page numbers are furniture."""
    if find_spec("pypdfium2") is None:
        raise MissingExtraError(f"reading {source.name}, a PDF,", "pdf")
    try:
        return arrange(pages(source.data, source.limits.pages, source.limits.characters)).extract()
    except Refused as refused:
        raise ReadError(f"{source.name} {refused}") from None
