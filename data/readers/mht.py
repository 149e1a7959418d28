"""Web pages saved as one file (.mht, .mhtml): a mail message whose longest HTML part is the page.

The parts are split here because the standard library's parser compares each line with each boundary around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.parser import BytesHeaderParser

from ...base.errors import ReadError
from ..encoding import decode
from . import html
from .base import Extract, Source

_HEAD = re.compile(
    rb"\s*+(?:From|Subject|Date|MIME-Version|Content-Type|Snapshot-Content-Location|X-[\w-]++)\s*+:", re.IGNORECASE
)
_KIND = re.compile(
    rb"^Content-Type:\s*+(?:multipart/related|text/html|multipart/alternative)", re.IGNORECASE | re.MULTILINE
)
_HEADERS = re.compile(rb"(?:(?:[!-9;-~]*+:|[\t ])[^\r\n]*+(?:\r\n|\r|\n|\Z))*+")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOUNDARY_END = re.compile(rb"(--)?[ \t]*+(?:\r\n|\r|\n|\Z)")
_LONGEST_HEAD = 1 << 16  # bytes of a part's headers that are read
_LONGEST_HEADER = 2000  # characters; parsing time grows with the square of the semicolons
_DEEPEST = 10  # levels of parts within parts; browsers and Word need two


def matches(data: bytes) -> bool:
    """Whether mail headers begin the file and name a web page."""
    return _HEAD.match(data[:200]) is not None and _KIND.search(data[:8192]) is not None


def read(source: Source) -> Extract:
    """Read the longest HTML part, since frames and advertisements are parts of their own."""
    try:
        pages = list(_pages(source, 0, len(source.data), 0))
    except (ValueError, LookupError):
        pages = []
    page, charset = max(pages, key=lambda found: len(found[0]), default=(b"", None))
    if not page.strip():
        raise ReadError(f"{source.name} is a saved web page (.mht) without a page in it; save it again as .html")
    return html.from_markup(decode(page, source.name, charset or html.declared_encoding(page)), source)


def _pages(source: Source, start: int, end: int, depth: int) -> Iterator[tuple[bytes, str | None]]:
    """The web pages in ``data[start:end]``, a part of the message, with the encodings from their headers."""
    if depth > _DEEPEST:
        raise ReadError(f"{source.name} has parts nested more than {_DEEPEST} deep; save it again as .html")
    data = source.data
    headers = _HEADERS.match(data, start, end)
    body = headers.end() if headers else start
    part = BytesHeaderParser().parsebytes(data[start : min(body, start + _LONGEST_HEAD)])
    if len(kind := str(part.get("Content-Type", ""))) > _LONGEST_HEADER:
        part.replace_header("Content-Type", kind[:_LONGEST_HEADER])
    if blank := _LINE_END.match(data, body, end):
        body = blank.end()
    boundary = part.get_boundary()
    if part.get_content_maintype() == "message":
        yield from _pages(source, body, end, depth + 1)
    elif part.get_content_maintype() == "multipart" and boundary is not None:
        mark = b"--" + boundary.encode("ascii", "surrogateescape")
        for first, last in _between(data, mark, body, end):
            yield from _pages(source, first, last, depth + 1)
    elif part.get_content_type() in ("text/html", "application/xhtml+xml"):
        part.set_payload(data[body:end].decode("ascii", "surrogateescape"))
        content = part.get_payload(decode=True)
        yield content if isinstance(content, bytes) else b"", part.get_content_charset()


def _between(data: bytes, mark: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The ranges between lines that hold ``mark``, up to the line where ``--`` follows it."""
    part_start: int | None = None
    while (at := data.find(mark, start, end)) >= 0:
        line = _BOUNDARY_END.match(data, at + len(mark), end) if at == start or data[at - 1] in b"\r\n" else None
        if line is None:
            newline = _LINE_END.search(data, at, end)
            start = newline.end() if newline else end
            continue
        if part_start is not None and part_start < at:
            yield part_start, max(part_start, at - (2 if data[at - 2 : at] == b"\r\n" else 1))
        if line[1] and part_start != at:
            return
        part_start = start = line.end()
    if part_start is not None and part_start < end:
        yield part_start, end
