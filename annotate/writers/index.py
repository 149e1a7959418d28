"""A page that lists the reports of a run: what each holds, in numbers, with links to the annotated reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import count
from pathlib import Path
from urllib.parse import quote

from ...base.files import write_text
from ...data.labels import LabelSet
from ...data.records import Record
from .table import Complete, stored
from .template import assemble, sheet


@dataclass(frozen=True)
class Summary:
    """A report in numbers.

    Attributes:
        doc: the report's name, with its extension.
        title: its first heading, else its name.
        sentences: how many it has.
        counts: sentences that carry each label, ``none`` for those without.
        review: sentences that a person should look at.
        href: where its page is, a relative URL; empty where it has none.
        name: what its outputs are called, which no other report's are; shown where ``doc`` is another's too.
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
    summaries: Sequence[Summary], labels: LabelSet, failed: Sequence[tuple[str, str]] = (), title: str = "批注结果"
) -> str:
    """The page. ``failed`` are names of inputs that could not be read, each with the reason."""
    names = (*labels.names, "none")
    titles = {**{label.name: label.title for label in labels}, "none": "无"}
    columns = "".join(
        f'<th scope="col" class="n"><button type="button"><i class="t-{name}"></i>{escape(titles[name])}</button></th>'
        for name in names
    )
    total = Counter[str]()
    for summary in summaries:
        total.update({name: summary.counts.get(name, 0) for name in names})
    numbers = "".join(f"<td>{total[name]:,}</td>" for name in names)
    docs = Counter(summary.doc for summary in summaries)
    told = [summary.name if docs[summary.doc] > 1 and summary.name else summary.doc for summary in summaries]
    parts = {
        "title": escape(title),
        "count": f"{len(summaries):,} 份报告，{sum(s.sentences for s in summaries):,} 句",
        "columns": columns,
        "rows": "\n".join(_row(*row, labels) for row in zip(count(), summaries, told)),
        "totals": f"<td>{sum(s.sentences for s in summaries):,}</td>{numbers}"
        f"<td>{sum(s.review for s in summaries):,}</td>",
        "bar": _bar(total, labels),
        "failed": _failed(failed),
    }
    return assemble("index", parts, sheet("index", labels))


def write_index(folder: Path, labels: LabelSet, run: Complete) -> list[Path]:
    """Write ``folder/index.html`` over the reports of a run folder, whose outputs lie beside ``folder``."""
    summaries = []
    for report in run.reports:
        there = (folder.parent / f"{report.name}.html").is_file()
        # A relative URL from a name: "a:b" must be no scheme, "#" and "?" and "%" no parts of an address.
        href = f"../{quote(report.name)}.html" if there else ""
        ((_, records),) = stored([(report.name, report.records)], labels)
        summaries.append(summarise(records, href, report.name))
    path = folder / "index.html"
    write_text(path, index_page(summaries, labels, run.failed))
    return [path]


def _row(number: int, summary: Summary, doc: str, labels: LabelSet) -> str:
    title = f"<bdi>{escape(summary.title)}</bdi>"
    if summary.href:
        title = f'<a href="{escape(summary.href)}">{title}</a>'
    name = f"<small><bdi>{escape(doc)}</bdi></small>" if doc != summary.title else ""
    cells = (summary.sentences, *(summary.counts.get(name, 0) for name in (*labels.names, "none")), summary.review)
    numbers = "".join(f"<td>{n}</td>" if n else '<td class="zero">0</td>' for n in cells)
    return f'<tr data-n="{number}"><th scope="row">{title}{name}{_bar(summary.counts, labels)}</th>{numbers}</tr>'


def _bar(found: Mapping[str, int], labels: LabelSet) -> str:
    """Shares of the labels as one bar; the numbers beside it say the same."""
    total = sum(found.get(label.name, 0) for label in labels)
    x = 0.0
    pieces = []
    for label in labels:
        width = 100 * found.get(label.name, 0) / (total or 1)
        if width:
            pieces.append(f'<rect x="{x:.1f}" width="{width:.1f}" height="1" fill="{label.color}"/>')
        x += width
    return f'<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">{"".join(pieces)}</svg>'


def _failed(failed: Sequence[tuple[str, str]]) -> str:
    if not failed:
        return ""
    rows = "".join(f"<li><bdi>{escape(name)}</bdi><small>{escape(reason)}</small></li>" for name, reason in failed)
    return f"<section><h2>没有读成的文件 {len(failed)}</h2><ul>{rows}</ul></section>"
