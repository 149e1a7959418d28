"""Replaces characters that Label Studio's databases cannot keep.

SQLite stores a lone surrogate, but the project can then be neither listed nor exported. PostgreSQL refuses a whole
request because of one lone surrogate or one NUL; SQLite stores NUL.
"""

from __future__ import annotations

import re
from typing import Any

_LONE = re.compile("[\ud800-\udfff]")
_LOST = re.compile("[\x00\ud800-\udfff]")
_NO_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def readable(value: Any) -> Any:
    """``value`` with U+FFFD for each lone surrogate in every string in it, so that offsets stay valid."""
    return _replaced(value, _LONE)


def storable(value: Any) -> Any:
    """As :func:`readable`, with U+FFFD for each NUL too."""
    return _replaced(value, _LOST)


def is_line(text: str) -> bool:
    """Whether ``text`` can be a title or name: one line, no characters that cannot be stored or shown."""
    return not _NO_LINE.search(text)


def _replaced(value: Any, lost: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return lost.sub("\ufffd", value)
    if isinstance(value, list):
        return [_replaced(entry, lost) for entry in value]
    if isinstance(value, dict):
        return {_replaced(name, lost): _replaced(entry, lost) for name, entry in value.items()}
    return value
