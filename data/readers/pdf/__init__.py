"""PDF with a text layer, read in a process of its own: the engine is native code that a hostile file may crash."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

from ....base.errors import MissingExtraError, ReadError
from ...segment import Hint
from ..base import Extract, Source

MEMORY_MB = 900
"""Memory that the reading process may use, where the system can limit it."""


def matches(data: bytes) -> bool:
    """Whether this is a PDF; some have a few bytes of mail or printer control before it."""
    return b"%PDF-" in data[:1024]


def read(source: Source) -> Extract:
    """Lines joined to paragraphs, columns in order, running heads, feet and page numbers as furniture."""
    if find_spec("pypdfium2") is None:
        raise MissingExtraError(f"reading {source.name}, a PDF,", "pdf")
    command = [sys.executable, "-m", __name__, str(source.limits.pages), str(source.limits.characters)]
    try:
        done = subprocess.run(
            command, input=source.data, capture_output=True, timeout=source.limits.seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise ReadError(
            f"{source.name} takes longer than the limit of {source.limits.seconds} seconds to read; split it"
        ) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise ReadError(f"{source.name} is a damaged PDF: its pages cannot be read") from None
    if error := answer.get("error"):
        raise ReadError(f"{source.name} {error}")
    hints = {int(start): Hint(kind) for start, kind in answer["hints"].items()}
    return Extract(answer["text"], hints)
