"""Text from strangers on a terminal, made harmless."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from types import TracebackType

# Control characters (ESC and the one-character CSI among them), and those that change writing direction or end a line.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """``text`` with the characters that control a terminal escaped (``\\u001b``); tabs and line feeds stay.

    JSON reads such an escape as the character itself, so a line of JSON keeps its value.
    """
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def crashed(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """A :data:`sys.excepthook` for errors whose message may hold a report's text."""
    sys.stderr.write(visible("".join(traceback.format_exception(kind, error, trace))))


class Visible(logging.Formatter):
    """Formats what is logged, tracebacks included, for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, with control characters escaped."""
        return visible(super().format(record))
