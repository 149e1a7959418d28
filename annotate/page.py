"""A report as one self-contained HTML page: sentences coloured by label, filters, an outline, a list of metrics."""

from __future__ import annotations

from collections import Counter
from html import escape
from importlib.resources import files

from ..data.labels import LabelSet
from ..data.report import Report, Sentence


def page(report: Report, labels: LabelSet) -> str:
    """The page. Text from the report is escaped everywhere: it is data, never markup."""
    template = (files(__package__) / "page.html").read_text(encoding="utf-8")
    title = next((s.text for s in report.sentences if s.kind == "heading"), report.doc)
    parts = {
        "title": escape(title),
        "doc": escape(report.doc),
        "style": _style(labels),
        "filters": _filters(report, labels),
        "outline": _outline(report),
        "body": _body(report, labels),
        "metrics": _metrics(report) if "metric" in labels.names else "",
    }
    # One pass over the template, so that text from the report can never be taken for a placeholder.
    pieces = template.split("@@")
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def _style(labels: LabelSet) -> str:
    # A sentence is tinted with its first label's colour alone, since mixed colours would look like a third label; the
    # small tags after it name all of its labels, so nobody has to tell colours apart.
    return "\n".join(
        f".f-{label.name}{{background-color:{label.color}2b}} .t-{label.name}{{background:{label.color}}}"
        for label in labels
    )


def _filters(report: Report, labels: LabelSet) -> str:
    counts = Counter(name for s in report.sentences for name in s.labels or ())
    none = sum(s.kind == "sentence" and not s.labels for s in report.sentences)
    buttons = [
        f'<button type="button" data-label="{label.name}" title="{escape(label.description)}" aria-pressed="false">'
        f'<i class="t-{label.name}"></i>{escape(label.title)} <b>{counts[label.name]}</b> '
        f"<kbd>{label.hotkey}</kbd></button>"
        for label in labels
    ]
    buttons.append(
        f'<button type="button" data-label="none" title="没有标签的句子" aria-pressed="false">'
        f"<i></i>无 <b>{none}</b> <kbd>0</kbd></button>"
    )
    return "".join(buttons)


def _outline(report: Report) -> str:
    rows = [
        f'<li style="--depth:{len(s.headings)}"><a href="#u{i}">{escape(s.text)}</a></li>'
        for i, s in enumerate(report.sentences)
        if s.kind == "heading"
    ]
    return "".join(rows) or "<li>（无标题）</li>"


def _body(report: Report, labels: LabelSet) -> str:
    html: list[str] = []
    end = None
    title = next((i for i, s in enumerate(report.sentences) if s.kind == "heading"), None)
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            html.append(f"<p>{''.join(paragraph)}</p>")
            paragraph.clear()

    for i, s in enumerate(report.sentences):
        if s.kind == "heading":
            close()
            depth = 1 if i == title else min(2 + len(s.headings), 6)
            html.append(f'<h{depth} id="u{i}">{escape(s.text)}</h{depth}>')
        elif s.kind == "furniture":
            close()
            html.append(f'<p class="furniture">{escape(s.text)}</p>')
        else:
            if end is None or "\n" in report.text[end : s.start]:
                close()
            paragraph.append(_sentence(i, s, labels))
        end = s.end
    close()
    return "\n".join(html)


def _sentence(i: int, s: Sentence, labels: LabelSet) -> str:
    given = s.labels or ()
    titles = {label.name: label.title for label in labels}
    scores = "，".join(f"{titles[name]} {score:.0%}" for name, score in (s.scores or {}).items())
    classes = f"s f-{given[0]}" if given else "s"
    names = " ".join(given) or "none"
    tags = "".join(f'<sup class="t-{name}">{escape(titles[name][:1])}</sup>' for name in given)
    # bdi: characters that turn the direction of writing turn it in their own sentence only.
    return (
        f'<span id="u{i}" class="{classes}" data-labels="{names}" title="{escape(scores)}">'
        f"<bdi>{escape(s.text)}</bdi>{tags}</span>"
    )


def _metrics(report: Report) -> str:
    rows = [
        f'<li><a href="#u{i}">{escape(s.text)}</a></li>'
        for i, s in enumerate(report.sentences)
        if "metric" in (s.labels or ())
    ]
    return f'<aside aria-label="指标"><h2>含指标的句子</h2><ol>{"".join(rows) or "<li>（无）</li>"}</ol></aside>'
