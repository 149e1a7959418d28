"""What Label Studio's databases can keep.

PostgreSQL refuses a whole request for one NUL or lone surrogate in it. SQLite takes the surrogate, and the project can
then be neither listed nor exported.
"""

from __future__ import annotations

import re
from typing import Any

_LOST = re.compile("[\x00\ud800-\udfff]")
_NO_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def storable(value: Any) -> Any:
    """The same with U+FFFD for each character that cannot be kept, in every text in it: offsets still hold."""
    if isinstance(value, str):
        return _LOST.sub("\ufffd", value)
    if isinstance(value, list):
        return [storable(entry) for entry in value]
    if isinstance(value, dict):
        return {storable(name): storable(entry) for name, entry in value.items()}
    return value


def is_line(text: str) -> bool:
    """Whether it can be a title or name: one line, without characters that cannot be kept or shown."""
    return not _NO_LINE.search(text)
