"""Plain text: the decoded characters are the report's text, with its offsets and line ends."""

from __future__ import annotations

from ..encoding import decode
from .base import Extract, Source


def read(source: Source) -> Extract:
    """Decode without any change, so that every offset is an offset into the file's characters."""
    return Extract(decode(source.data, source.name))
