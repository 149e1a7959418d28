"""A sentence's place in its report as annotators see it: its position, the sentences around it, a link."""

from __future__ import annotations

import string
from collections.abc import Sequence
from html import escape
from pathlib import PurePath
from urllib.parse import quote, urlsplit

from ...base.errors import ConfigError
from ...data.records import LeadRecord, Record, keep

AROUND = 4  # sentences shown on each side; more would make every task larger, though few people open this panel

_FIELDS = ("name", "doc", "index", "id", "start", "end")


def position(number: int, total: int) -> str:
    """``第 12 句，共 80 句``: the sentence's number, from 1, and how many sentences there are."""
    return f"第 {number} 句，共 {total} 句"


def place(sentences: Sequence[Record], number: int, link: str | None = None) -> str:
    """A fragment of HTML: ``sentences[number]`` highlighted among its neighbours, and a link to the whole report.

    Args:
        sentences: the report's sentences, in the order of its text; ``lead`` holds the headings right before one.
        number: the index of the sentence, from 0.
        link: the report's address, see :func:`address`; None leaves the link out.
    """
    paragraphs: list[str] = []
    end = None
    for near in range(max(0, number - AROUND), min(len(sentences), number + AROUND + 1)):
        sentence = sentences[near]
        paragraphs += [f"<p><b>{_shown(heading)}</b></p>" for heading in sentence.get("lead") or ()]
        text = f"<mark>{_shown(sentence)}</mark>" if near == number else _shown(sentence)
        if sentence["start"] == end and not sentence.get("lead"):  # adjoining sentences share a paragraph
            paragraphs[-1] = f"{paragraphs[-1].removesuffix('</p>')}{text}</p>"
        else:
            paragraphs.append(f"<p>{text}</p>")
        end = sentence["end"]
    if link is not None:
        paragraphs.append(f'<p><a href="{escape(link)}" target="_blank" rel="noopener noreferrer">打开整篇报告</a></p>')
    return "".join(paragraphs)


def check_report_url(report_url: str) -> None:
    """Check that it is an address with known fields, such as ``http://pc-7:8000/{name}.html#u{index}``.

    The fields: ``{doc}``, the report's name; ``{name}``, the same without its extension; ``{index}``, the sentence's
    index among all entries of the report, headings included, from 0 (``u{index}`` is its anchor in the pages of
    ``pizhu annotate``); ``{id}``, ``{start}`` and ``{end}`` of its record.

    Raises:
        ConfigError: the scheme is not http or https, there is no host, or a field is unknown.
    """
    try:
        fields = [field for _, field, spec, turn in string.Formatter().parse(report_url) if field is not None]
        plain = not any(spec or turn for _, _, spec, turn in string.Formatter().parse(report_url))
        parts = urlsplit(report_url)
    except ValueError:
        raise ConfigError(f"report address {report_url!r} is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.netloc or "{" in parts.netloc or "@" in parts.netloc:
        raise ConfigError(f"report address {report_url!r} must begin with http:// or https:// and a host")
    if not plain or (unknown := [field for field in fields if field not in _FIELDS]):
        strange = unknown[0] if plain else report_url
        raise ConfigError(f"report address: unknown field {strange!r}, expected {{{'}, {'.join(_FIELDS)}}}")


def address(report_url: str, record: Record, index: int) -> str:
    """``report_url`` with its fields filled in for the sentence of ``record``, each percent-encoded."""
    named = {"name": PurePath(record["doc"]).stem, "index": index}
    fields = {**named, **keep(record, ("doc", "id", "start", "end"))}
    return report_url.format_map(
        {field: quote(str(value), safe="", errors="replace") for field, value in fields.items()}
    )


def _shown(record: Record | LeadRecord) -> str:
    return escape(" ".join(record["text"].split()))
