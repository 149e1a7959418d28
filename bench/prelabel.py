"""How often the prediction service's labels differ from those of `pizhu annotate`: bench/prelabel.py [MODEL]

The model reads whole reports, but Label Studio sends single sentences. For the shipped validation and test splits, the
script compares the service's labels with those of the whole report in four cases: the service has all tasks of the
report; it has them without their headings; it has half of them, by paragraphs; it has only the one task.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.records import Record, keep
from pizhu.labeling.backend.context import Surroundings, surroundings
from pizhu.labeling.studio.tasks import to_tasks
from pizhu.models.annotator import Annotator
from rich.console import Console
from rich.table import Table

Rows = list[Record]


def whole(rows: Rows) -> Iterable[Rows]:
    return [rows]


def bare(rows: Rows) -> Iterable[Rows]:
    return [[keep(row, [name for name in row if name != "lead"]) for row in rows]]


def half(rows: Rows) -> Iterable[Rows]:
    paragraphs: list[Rows] = []
    for row in rows:
        if paragraphs and paragraphs[-1][-1]["end"] == row["start"]:
            paragraphs[-1].append(row)
        else:
            paragraphs.append([row])
    return [[row for paragraph in paragraphs[first::2] for row in paragraph] for first in (0, 1)]


def alone(rows: Rows) -> Iterable[Rows]:
    return ([row] for row in rows)


WAYS: dict[str, Callable[[Rows], Iterable[Rows]]] = {
    "all tasks of the report": whole,
    "all, without the headings they carry": bare,
    "every other paragraph": half,
    "the task alone": alone,
}


def labels(annotator: Annotator, parts: Iterable[Surroundings]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The labels that the service gives, by task id."""
    parts = list(parts)
    for around, report in zip(parts, annotator.annotate_many([p.report for p in parts]), strict=True):
        sentences = [s for s in report.sentences if s.kind == "sentence"]
        yield from ((key, s.labels or ()) for key, s in zip(around.ids, sentences, strict=True) if key is not None)


def main() -> None:
    annotator = Annotator.load(sys.argv[1] if len(sys.argv) > 1 else None)
    reports = [found.report for split in ("validation", "test") for found in load_corpus(split=split)]
    table = Table(title=f"labels that differ from those of the report read whole, {len(reports)} reports")
    for column in ("the service knows", "sentences", "differ", "share", "by report"):
        table.add_column(column, justify="left" if not table.columns else "right")
    expected = [{s.id: s.labels for s in r.sentences if s.kind == "sentence"} for r in annotator.annotate_many(reports)]
    for way, cut in WAYS.items():
        shares, differ, count = [], 0, 0
        for report, right in zip(reports, expected, strict=True):
            rows = [task["data"] for task in to_tasks(bare_records(report.records()), DEFAULT_LABELS, report.doc)]
            parts = [surroundings(part, DEFAULT_LABELS) for part in cut(rows) if part]
            wrong = sum(given != right[key] for key, given in labels(annotator, parts))
            shares.append(wrong / len(right))
            differ, count = differ + wrong, count + len(right)
        spread = f"{min(shares):.1%} to {max(shares):.1%}"
        table.add_row(way, str(count), str(differ), f"{differ / count:.1%}", spread)
    Console().print(table)


def bare_records(records: Rows) -> Rows:
    """The report without people's labels."""
    return [{**record, "labels": None} for record in records]


if __name__ == "__main__":
    main()
