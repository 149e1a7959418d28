"""Plain text: its decoded characters are the report's text, offsets and line ends included."""

from __future__ import annotations

from ..encoding import decode
from .base import Extract, Source


def read(source: Source) -> Extract:
    """Decode; nothing is changed, so every offset is an offset into the file's characters."""
    return Extract(decode(source.data, source.name))
