"""Turns labelled records back into reports, so that a model can be trained on what people labelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from .labels import LabelSet
from .records import Kind, Record, check_record, load_records
from .report import Report, Span, title_of


def load_reports(path: str | Path, labels: LabelSet) -> list[Report]:
    """The reports of a JSON Lines file of sentence records (docs/records.md).

    Raises:
        DataError: the file cannot be read, or a record is not as docs/records.md says; the message names it.
    """
    return _reports(load_records(path, labels), labels)


def reports_from_records(records: Iterable[Record], labels: LabelSet, where: str) -> list[Report]:
    """Group ``records`` by report; the text between the sentences is unknown and becomes white space.

    Every sentence keeps its heading path, and so its identity. The model reads headings too: those in a sentence's
    ``lead`` are put before it again, unless they have records of their own, and those that occur only in paths are put
    before the first sentence under them.

    Raises:
        DataError: a record is not as docs/records.md says; the message names it as one of ``where``.
    """
    checked = (check_record(row, f"{where}, record {number}", labels) for number, row in enumerate(records, 1))
    return _reports(checked, labels)


def _reports(records: Iterable[Record], labels: LabelSet) -> list[Report]:
    records = list(records)
    # Pulled answers carry headings along; where the report itself is given too, it holds them as well.
    present = {(record["doc"], record["start"]) for record in records if record.get("kind") == "heading"}
    by_doc: dict[str, list[Record]] = {}
    for record in records:
        part = by_doc.setdefault(record["doc"], [])
        part += [heading for heading in _lead(record) if (heading["doc"], heading["start"]) not in present]
        part.append(record)
    return [_report(doc, sorted(part, key=lambda r: r["start"]), labels.names) for doc, part in by_doc.items()]


def _lead(record: Record) -> list[Record]:
    """The headings between the previous sentence and this one, as Label Studio's tasks carry them."""
    return [cast(Record, {**heading, "doc": record["doc"], "kind": "heading"}) for heading in record.get("lead") or ()]


@dataclass
class _Piece:
    """A stretch of the text under construction; ``level`` and ``reach`` as in ``Span``."""

    start: int
    text: str
    kind: Kind
    headings: tuple[str, ...]
    labels: tuple[str, ...] | None
    level: int = 0
    reach: int = 0

    @property
    def title(self) -> str:
        """Its name in the heading paths below it."""
        return title_of(self.text)


def _report(doc: str, rows: Sequence[Record], names: Sequence[str]) -> Report:
    parts: list[str] = []  # of the text
    length = 0
    pieces: list[_Piece] = []
    path: list[_Piece] = []

    def append(piece: str, kind: Kind, headings: tuple[str, ...], labels: tuple[str, ...] | None, space: str) -> None:
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
            # A heading precedes the text under it, inline headings ("1.深化流程再造。") among the sentences.
            if not pieces or (pieces[-1].headings, pieces[-1].title) != (headings[:depth], headings[depth]):
                append(headings[depth], "heading", headings[:depth], (), "\n")
            path.append(pieces[-1])
            pieces[-1].level = depth + 1
        given = row.get("labels")
        joined = first == len(pieces) and end == row["start"] and row.get("kind", "sentence") == "sentence"
        append(
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
