"""The reading process: a PDF on stdin, its text as JSON on stdout."""

from __future__ import annotations

import json
import sys

from . import MEMORY_MB
from .engine import Refused, pages
from .layout import arrange


def main() -> None:
    """Answer with ``text`` and ``hints``, or with ``error``: what is wrong, to be read after the file's name."""
    _limit_memory()
    try:
        lines = arrange(pages(sys.stdin.buffer.read(), int(sys.argv[1]), int(sys.argv[2])))
        extract = lines.extract()
        answer: dict[str, object] = {
            "text": extract.text,
            "hints": {start: hint.kind for start, hint in extract.hints.items()},
        }
    except Refused as refused:
        answer = {"error": str(refused)}
    except MemoryError:
        answer = {"error": f"needs more than {MEMORY_MB} MB of memory to read; split it"}
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = MEMORY_MB * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main()
