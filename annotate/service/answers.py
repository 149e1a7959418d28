"""Writes an annotated report in the requested format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ...base.files import as_line
from ...base.refusal import Refusal
from ...data.labels import LabelSet
from ...data.report import Report
from ..writers.page import counts, page, title
from ..writers.template import policy, script, sheet

TYPES = {
    "json": ("application/json",),
    "html": ("text/html", "application/xhtml+xml"),
    "jsonl": ("application/jsonl", "application/x-ndjson", "application/x-jsonlines"),
}
"""The media types of each format, the one that is sent first. A client that accepts anything gets the first format."""


def choose(wanted: str | None, accept: str | None) -> str:
    """The format that ``wanted`` names, else the one that the Accept header prefers.

    Raises:
        Refusal: the format is unknown, or none is acceptable (406).
    """
    if wanted is not None:
        if wanted in TYPES:
            return wanted
        raise Refusal(406, f"there is no format {wanted[:20]!r}; ask for one of {', '.join(TYPES)}")
    ranges = list(_ranges(accept or "*/*"))
    best, found = 0.0, None
    for name, types in TYPES.items():
        for media in types:
            patterns = (media, f"{media.partition('/')[0]}/*", "*/*")
            q = max(((specific, q) for specific, pattern, q in ranges if pattern in patterns), default=(0, 0.0))[1]
            if q > best:
                best, found = q, name
    if found is None:
        offered = ", ".join(types[0] for types in TYPES.values())
        raise Refusal(406, f"none of the accepted types is available; accept one of {offered}")
    return found


def _ranges(accept: str) -> Sequence[tuple[int, str, float]]:
    """(how specific, media range, quality) of each part of an Accept header; an invalid quality counts as 1."""
    found = []
    for part in accept[:1000].lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if re.fullmatch(r"q=[01](\.\d{0,3})?", p)), "1")
        found.append((2 - media.count("*"), media, float(quality)))
    return found


def content(report: Report, labels: LabelSet, form: str, *, with_page: bool = False) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a response; ``with_page`` adds the page to the JSON."""
    headers = {"content-type": f"{TYPES[form][0]}; charset=utf-8"}
    headers["content-disposition"] = _disposition(report.doc, form)
    if form == "html":
        headers["content-security-policy"] = f"{page_policy(labels)}; frame-ancestors 'none'; sandbox {SANDBOX}"
        text = page(report, labels)
    elif form == "jsonl":
        text = "".join(map(as_line, report.records()))
    else:
        body = summary(report, labels) | {"text": report.text, "records": report.records()}
        text = as_line(body | ({"page": page(report, labels)} if with_page else {}))
    return text.encode("utf-8", "replace"), headers


SANDBOX = "allow-scripts allow-downloads allow-modals"
"""What a page with text from strangers may do: it runs its own script, but belongs to no site."""


def page_policy(labels: LabelSet) -> str:
    """The content security policy of a report's page, which also contains it."""
    return policy(sheet("page", labels), script("page"))


def summary(report: Report, labels: LabelSet) -> dict[str, Any]:
    """The title of a report and its counts."""
    sentences = [s for s in report.sentences if s.kind == "sentence"]
    found = counts(sentences)
    return {
        "doc": report.doc,
        "title": " ".join(title(report).split()),
        "sentences": len(sentences),
        "counts": {name: found[name] for name in (*labels.names, "none")},
        "review": sum(s.review for s in sentences),
    }


def _disposition(doc: str, form: str) -> str:
    name = quote(f"{doc}.{form}", safe="")
    return f"{'attachment' if form == 'jsonl' else 'inline'}; filename=\"report.{form}\"; filename*=UTF-8''{name}"
