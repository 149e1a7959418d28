"""A sentence's place in its report, as annotators are shown it: where it stands, what stands around it, a link."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, urlsplit

from ..data.errors import ConfigError

AROUND = 4  # entries shown on each side; more makes every task larger for what few open

_FIELDS = ("name", "doc", "index", "id", "start", "end")


def position(number: int, total: int) -> str:
    """``第 12 句，共 80 句``; both count sentences, from 1."""
    return f"第 {number} 句，共 {total} 句"


def place(records: Sequence[Mapping[str, Any]], index: int, report_url: str | None = None) -> str:
    """A piece of HTML: the sentence ``records[index]`` marked among its neighbours, and a link to the whole report.

    Args:
        records: the report's, in the order of its text, headings included where they are known.
        index: the sentence's place among them.
        report_url: as :func:`check_report_url` describes it; without one there is no link.
    """
    paragraphs: list[str] = []
    end = None
    for number in range(max(0, index - AROUND), min(len(records), index + AROUND + 1)):
        record = records[number]
        text = escape(" ".join(str(record["text"]).split()))
        if record.get("kind") == "furniture":
            continue
        if record.get("kind") == "heading":
            paragraphs.append(f"<p><b>{text}</b></p>")
            end = None
            continue
        text = f"<mark>{text}</mark>" if number == index else text
        if record["start"] == end:  # what touches stands in one paragraph
            paragraphs[-1] = f"{paragraphs[-1].removesuffix('</p>')}{text}</p>"
        else:
            paragraphs.append(f"<p>{text}</p>")
        end = record["end"]
    if report_url is not None:
        address = escape(_address(report_url, records[index], index))
        paragraphs.append(f'<p><a href="{address}" target="_blank" rel="noopener noreferrer">打开整篇报告</a></p>')
    return "".join(paragraphs)


def check_report_url(report_url: str) -> str:
    """See that it is an address with known fields, such as ``http://pc-7:8000/{name}.html#u{index}``.

    The fields: ``{doc}``, the report's name; ``{name}``, the same without its ending; ``{index}``, the sentence's
    place among all entries of the report, headings included, from 0 (``u{index}`` is its anchor in the pages of
    ``pizhu annotate``); ``{id}``, ``{start}`` and ``{end}`` of its record.

    Raises:
        ConfigError: another scheme than http and https, no host, or an unknown field.
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
        told = unknown[0] if plain else report_url
        raise ConfigError(f"report address: unknown field {told!r}, expected {{{'}, {'.join(_FIELDS)}}}")
    return report_url


def _address(report_url: str, record: Mapping[str, Any], index: int) -> str:
    doc = str(record["doc"])
    fields = {"name": PurePath(doc).stem, "doc": doc, "index": index}
    fields |= {field: record[field] for field in ("id", "start", "end")}
    return report_url.format_map({field: quote(str(value), safe="") for field, value in fields.items()})
