"""A page that lists the reports of a run with their counts and with links to the annotated reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ...base.files import write_text
from ...base.page import bar
from ...data.labels import LabelSet
from ...data.records import Record
from .table import Complete, stored
from .template import assemble, sheet

_TITLE = "批注结果"


@dataclass(frozen=True)
class Summary:
    """The counts of one report.

    Attributes:
        doc: the report's name, with its extension.
        title: its first heading, else its name.
        sentences: the number of its sentences.
        counts: the number of sentences with each label; ``none`` counts those without labels.
        review: the number of sentences to review.
        href: the relative URL of its page; empty if it has none.
        name: the unique name of its outputs; shown if another report has the same ``doc``.
    """

    doc: str
    title: str
    sentences: int
    counts: Mapping[str, int] = field(default_factory=dict)
    review: int = 0
    href: str = ""
    name: str = ""


def summarise(records: Iterable[Record], href: str = "", name: str = "") -> Summary:
    """The summary of one report's records (docs/records.md)."""
    doc = title = ""
    found: Counter[str] = Counter()
    sentences = review = 0
    for record in records:
        doc = doc or record["doc"]
        if record["kind"] == "heading":
            title = title or " ".join(record["text"].split())
        elif record["kind"] == "sentence":
            sentences += 1
            review += bool(record.get("review"))
            if (given := record["labels"]) is not None:
                found.update(given or ["none"])
    return Summary(doc, title or doc, sentences, dict(found), review, href, name)


def index_page(
    summaries: Sequence[Summary], labels: LabelSet, failed: Sequence[tuple[str, str]] = (), title: str = _TITLE
) -> str:
    """The page. ``failed`` are the names of inputs that could not be read, each with the reason."""
    return "".join(_pieces(summaries, labels, failed, title))


def _pieces(
    summaries: Sequence[Summary], labels: LabelSet, failed: Sequence[tuple[str, str]], title: str
) -> Iterator[str]:
    titles = {**{label.name: label.title for label in labels}, "none": "无"}
    counts = {name: sum(summary.counts.get(name, 0) for summary in summaries) for name in titles}
    total = Summary("", title, sum(s.sentences for s in summaries), counts, sum(s.review for s in summaries))
    docs = Counter(summary.doc for summary in summaries)
    shown = [summary.name if docs[summary.doc] > 1 and summary.name else summary.doc for summary in summaries]
    return assemble(
        "index",
        sheet("index", labels),
        title=title,
        reports=len(summaries),
        columns=titles.items(),
        rows=(
            (number, summary.title, name, summary.href, _cells(summary, titles), _shares(summary, labels))
            for number, (summary, name) in enumerate(zip(summaries, shown, strict=True))
        ),
        totals=_cells(total, titles),
        shares=_shares(total, labels),
        failed=failed,
    )


def write_index(folder: Path, labels: LabelSet, run: Complete) -> list[Path]:
    """Write ``folder/index.html`` for the reports of a run, whose outputs are in the parent of ``folder``."""
    summaries = []
    for report in run.reports:
        there = (folder.parent / f"{report.name}.html").is_file()
        # quote() keeps "a:b" from being read as a scheme, and "#", "?" and "%" as parts of the URL.
        href = f"../{quote(report.name)}.html" if there else ""
        ((_, records),) = stored([(report.name, report.records)], labels)
        summaries.append(summarise(records, href, report.name))
    path = folder / "index.html"
    write_text(path, _pieces(summaries, labels, run.failed, _TITLE))
    return [path]


def _cells(summary: Summary, names: Iterable[str]) -> list[int]:
    """The numbers of a row."""
    return [summary.sentences, *(summary.counts.get(name, 0) for name in names), summary.review]


def _shares(summary: Summary, labels: LabelSet) -> list[tuple[str, float, float]]:
    """Each label's share of all labels given."""
    found = [summary.counts.get(name, 0) for name in labels.names]
    total = sum(found)
    return bar.pieces((label.color, count, total) for label, count in zip(labels, found, strict=True))
