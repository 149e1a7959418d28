"""From labelled records back to reports, so that what people labelled can be trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import DataError
from ..base.files import read_records
from .labels import LabelSet
from .report import Kind, Report, Span, title_of

_NEEDED = {"doc": str, "start": int, "end": int, "text": str}
_END = 2**31
"""Texts are shorter, and tables hold no larger numbers."""


def load_reports(path: str | Path, labels: LabelSet) -> list[Report]:
    """The reports of a JSON Lines file of sentence records (design.md, "Records").

    Raises:
        DataError: a record lacks a field, has an unknown label or a wrong range; the message names the record.
    """
    return reports_from_records(read_records(path), labels, str(path))


def reports_from_records(records: Iterable[Mapping[str, Any]], labels: LabelSet, where: str) -> list[Report]:
    """Group ``records`` by report; what lies between the sentences is unknown and becomes white space.

    Every sentence keeps its heading path, and so its identity. The model reads headings too: those that a sentence
    carries along as ``lead`` stand before it again, unless they have records of their own, and those that stand in the
    paths alone are put back in front of the first sentence under them.
    """
    rows: list[tuple[Mapping[str, Any], list[dict[str, Any]]]] = []
    for number, record in enumerate(records, 1):
        check_record(record, labels, f"{where}, record {number}")
        rows.append((record, lead := _lead(record)))
        for heading in lead:
            check_record(heading, labels, f"{where}, record {number}, its lead")
    # Answers that were pulled carry headings along that the report, where it is given with them, holds as well.
    present = {(record["doc"], record["start"]) for record, _ in rows if record.get("kind") == "heading"}
    by_doc: dict[str, list[Mapping[str, Any]]] = {}
    for record, lead in rows:
        part = by_doc.setdefault(record["doc"], [])
        part += [heading for heading in lead if (heading["doc"], heading["start"]) not in present]
        part.append(record)
    return [_report(doc, sorted(part, key=lambda r: r["start"]), labels.names) for doc, part in by_doc.items()]


def check_record(record: Mapping[str, Any], labels: LabelSet, where: str) -> None:
    """See that a record is one: a DataError says what is wrong with the one that stands ``where``."""
    check_fields(record, where)
    if not 0 <= record["start"] < record["end"] < _END:
        raise DataError(f"{where}: start {record['start']}, end {record['end']} is no range of characters")
    if unknown := set(record.get("labels") or ()) - set(labels.names):
        raise DataError(f"{where}: unknown label {min(unknown)!r}, expected some of {', '.join(labels.names)}")
    if record.get("kind", "sentence") not in ("sentence", "heading", "furniture"):
        raise DataError(f"{where}: kind is {record['kind']!r}, expected sentence, heading or furniture")


def check_fields(
    record: Mapping[str, Any], where: str, needed: Sequence[str] = ("doc", "start", "end", "text")
) -> None:
    """See that a record has the ``needed`` fields, and that what it has is what their names say, whatever the labels.

    Raises:
        DataError: it has not; the message says where.
    """
    for name in needed:
        kind = _NEEDED[name]
        if not isinstance(record.get(name), kind) or isinstance(record[name], bool):
            raise DataError(f"{where}: lacks {name} ({kind.__name__})")
    for name, said in (("labels", "a list of label names or null"), ("headings", "a list of texts")):
        found = record.get(name, [])
        if found is None and name == "labels":
            continue
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise DataError(f"{where}: {name} must be {said}")
    for name in ("id", "report"):
        if not isinstance(record.get(name, ""), str):
            raise DataError(f"{where}: {name} must be a text")
    if not isinstance(record.get("previous"), str | None):
        raise DataError(f"{where}: previous must be a text or null")
    if record.get("review") not in (None, False, True):
        raise DataError(f"{where}: review must be true, false or null")
    scores = record.get("scores")
    if scores and not (isinstance(scores, dict) and all(map(_is_probability, scores.values()))):
        raise DataError(f"{where}: scores must give each label a probability between 0 and 1")


def _is_probability(score: object) -> bool:
    return isinstance(score, int | float) and 0 <= score <= 1


def _lead(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The headings between the sentence before and this one, as Label Studio's tasks carry them."""
    rows = record.get("lead", ())
    rows = rows if isinstance(rows, list) else [rows]
    return [{**(row if isinstance(row, dict) else {}), "doc": record["doc"], "kind": "heading"} for row in rows if row]


@dataclass
class _Piece:
    """A stretch of the text that is put together; ``level`` and ``reach`` as in ``Span``."""

    start: int
    text: str
    kind: Kind
    headings: tuple[str, ...]
    labels: tuple[str, ...] | None
    level: int = 0
    reach: int = 0

    @property
    def title(self) -> str:
        """What it is called in the paths of what it heads."""
        return title_of(self.text)


def _report(doc: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Report:
    parts: list[str] = []  # of the text
    length = 0
    pieces: list[_Piece] = []
    path: list[_Piece] = []

    def lay(piece: str, kind: Kind, headings: tuple[str, ...], labels: tuple[str, ...] | None, space: str) -> None:
        nonlocal length
        gap = space if pieces else ""
        pieces.append(_Piece(length + len(gap), piece, kind, headings, labels))
        parts.extend((gap, piece))
        length += len(gap) + len(piece)

    end = -1
    for row in rows:
        headings = tuple(map(title_of, row.get("headings", ())))
        kept = 0
        while kept < min(len(path), len(headings)) and path[kept].title == headings[kept]:
            kept += 1
        closed, path[kept:] = path[kept:], []
        first = len(pieces)
        for depth in range(kept, len(headings)):
            # A heading stands right before what it heads, inline headings ("1.深化流程再造。") among the sentences.
            if not pieces or (pieces[-1].headings, pieces[-1].title) != (headings[:depth], headings[depth]):
                lay(headings[depth], "heading", headings[:depth], (), "\n")
            path.append(pieces[-1])
            pieces[-1].level = depth + 1
        given = row.get("labels")
        joined = first == len(pieces) and end == row["start"] and row.get("kind", "sentence") == "sentence"
        lay(
            row["text"],
            row.get("kind", "sentence"),
            headings,
            None if given is None else tuple(name for name in names if name in given),
            "" if joined else "\n",
        )
        for piece in closed:
            piece.reach = pieces[first].start
        end = row["end"]
    spans = [Span(p.start, p.start + len(p.text), p.kind, p.level, p.reach) for p in pieces]
    return Report.build(doc, "".join(parts), spans).with_labels([p.labels for p in pieces])
