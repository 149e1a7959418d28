"""From labelled records back to reports, so that what people labelled can be trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .errors import DataError
from .files import read_records
from .labels import LabelSet
from .report import Report, Span


def load_reports(path: str | Path, labels: LabelSet) -> list[Report]:
    """The reports of a JSON Lines file of sentence records (design.md, "Records").

    Raises:
        DataError: a record lacks a field, has an unknown label or a wrong range; the message names the record.
    """
    return reports_from_records(read_records(path), labels, str(path))


def reports_from_records(records: Iterable[Mapping[str, Any]], labels: LabelSet, where: str) -> list[Report]:
    """Group ``records`` by report; what lies between the sentences is unknown and becomes white space.

    Headings that stand in the sentences' paths but not among the records are put back in front of the first sentence
    under them, because the model reads headings too.
    """
    by_doc: dict[str, list[Mapping[str, Any]]] = {}
    for number, record in enumerate(records, 1):
        _check(record, labels, f"{where}, record {number}")
        by_doc.setdefault(record["doc"], []).append(record)
    return [_report(doc, sorted(rows, key=lambda r: r["start"])) for doc, rows in by_doc.items()]


def _check(record: Mapping[str, Any], labels: LabelSet, where: str) -> None:
    for name, kind in {"doc": str, "start": int, "end": int, "text": str}.items():
        if not isinstance(record.get(name), kind):
            raise DataError(f"{where}: lacks {name} ({kind.__name__})")
    names = record.get("labels")
    if names is not None and (not isinstance(names, list) or not all(isinstance(n, str) for n in names)):
        raise DataError(f"{where}: labels must be a list of label names or null")
    if unknown := set(names or ()) - set(labels.names):
        raise DataError(f"{where}: unknown label {min(unknown)!r}, expected some of {', '.join(labels.names)}")
    headings = record.get("headings", [])
    if not isinstance(headings, list) or not all(isinstance(h, str) for h in headings):
        raise DataError(f"{where}: headings must be a list of texts")
    if record.get("kind", "sentence") not in ("sentence", "heading", "furniture"):
        raise DataError(f"{where}: kind is {record['kind']!r}, expected sentence, heading or furniture")


def _report(doc: str, rows: list[Mapping[str, Any]]) -> Report:
    has_headings = any(row.get("kind") == "heading" for row in rows)
    text = ""
    spans: list[Span] = []
    given: list[tuple[str, ...] | None] = []
    path: list[str] = []
    end = None

    def add(piece: str, span_kind: Any, level: int, names: tuple[str, ...] | None, *, joined: bool) -> None:
        nonlocal text
        if text and not joined:
            text += "\n"
        spans.append(Span(len(text), len(text) + len(piece), span_kind, level))
        text += piece
        given.append(names)

    for row in rows:
        kind = row.get("kind", "sentence")
        headings = list(row.get("headings", []))
        if not has_headings and headings != path:
            kept = 0
            while kept < min(len(path), len(headings)) and path[kept] == headings[kept]:
                kept += 1
            for depth, heading in enumerate(headings[kept:], kept + 1):
                add(heading, "heading", depth, (), joined=False)
            path, end = headings, None
        names = row.get("labels")
        add(
            row["text"],
            kind,
            len(headings) + 1 if kind == "heading" else 0,
            None if names is None else tuple(names),
            joined=kind == "sentence" and end == row["start"],
        )
        end = row["end"]
    return Report.build(doc, text, spans).with_labels(given)
