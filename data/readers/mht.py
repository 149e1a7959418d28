"""Web pages saved as one file (.mht, .mhtml): a mail message whose first HTML part is the page."""

from __future__ import annotations

import email
import re
from email.message import Message

from ...base.errors import ReadError
from ..encoding import decode
from . import html
from .base import Extract, Source

_HEAD = re.compile(
    rb"\s*(?:From|Subject|Date|MIME-Version|Content-Type|Snapshot-Content-Location|X-[\w-]+)\s*:", re.IGNORECASE
)
_KIND = re.compile(
    rb"^Content-Type:\s*(?:multipart/related|text/html|multipart/alternative)", re.IGNORECASE | re.MULTILINE
)


def matches(data: bytes) -> bool:
    """Whether mail headers begin the file and name a web page."""
    return _HEAD.match(data[:200]) is not None and _KIND.search(data[:8192]) is not None


def read(source: Source) -> Extract:
    """Read the longest HTML part: frames and advertisements have parts of their own."""
    try:
        pages = [_content(part) for part in email.message_from_bytes(source.data).walk() if _is_page(part)]
    except (ValueError, LookupError, RecursionError):
        pages = []
    page, charset = max(pages, key=lambda found: len(found[0]), default=(b"", None))
    if not page.strip():
        raise ReadError(f"{source.name} is a saved web page (.mht) without a page in it; save it again as .html")
    return html.from_markup(decode(page, source.name, charset or html.declared_encoding(page)), source)


def _is_page(part: Message) -> bool:
    return part.get_content_type() in ("text/html", "application/xhtml+xml")


def _content(part: Message) -> tuple[bytes, str | None]:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b"", part.get_content_charset()
