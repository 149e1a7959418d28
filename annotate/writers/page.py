"""A report as one self-contained HTML page.

Sentences coloured by label, filters, search, an outline with counts, lists of what to review and of the figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape

from ...data.labels import Label, LabelSet
from ...data.quantities import Quantity, quantities
from ...data.report import Report, Sentence
from .template import assemble, sheet

_KEYS = "achjkr"
"""Letters that mean something on the page, whatever the labels (web/page.html, web/page.js)."""


def page(report: Report, labels: LabelSet) -> str:
    """The page. Text from the report is escaped everywhere: it is data, never markup."""
    parts = {
        "title": escape(title(report)),
        "doc": escape(report.doc),
        "filters": _filters(report, labels),
        "outline": _outline(report, labels),
        "body": _body(report, labels),
        "review": _review(report, labels),
        "metrics": _metrics(report) if "metric" in labels.names else "",
        "keys": "".join(
            f"<dt><kbd>{key}</kbd></dt><dd>{escape(label.title)}</dd>"
            for label, key in zip(labels, hotkeys(labels), strict=True)
            if key
        ),
    }
    return assemble("page", parts, sheet("page", labels))


def hotkeys(labels: LabelSet) -> list[str]:
    """The key of each label: its hot key, or a free digit where that is a key of the page; empty where none is left."""
    free = [digit for digit in "123456789" if digit not in {label.hotkey for label in labels}]
    return [label.hotkey if label.hotkey not in _KEYS else free.pop(0) if free else "" for label in labels]


def title(report: Report) -> str:
    """The report's title, else its name."""
    return report.title or report.doc


def counts(sentences: Iterable[Sentence]) -> Counter[str]:
    """How many of the sentences carry each label, ``none`` for those that were found to carry none."""
    found: Counter[str] = Counter()
    for s in sentences:
        if s.kind == "sentence" and s.labels is not None:
            found.update(s.labels or ("none",))
    return found


def _filters(report: Report, labels: LabelSet) -> str:
    found = counts(report.sentences)
    none = Label("none_", "无", "#ffffff", "1", "没有标签的句子")
    keys = hotkeys(labels)
    shown = [(label.name, label, key) for label, key in zip(labels, keys, strict=True)] + [("none", none, "0")]
    return "".join(
        f'<button type="button" data-label="{name}" data-key="{key}" title="{escape(label.description)}" '
        f'aria-pressed="false"><i class="t-{name}"></i><span>{escape(label.title)}</span> <b>{found[name]}</b> '
        f"{f'<kbd>{key}</kbd>' if key else ''}</button>"
        for name, label, key in shown
    )


def _outline(report: Report, labels: LabelSet) -> str:
    rows = []
    for i, below in _sections(report):
        found = counts(below)
        chips = "".join(
            f'<b class="t-{label.name}" title="{escape(label.title)} {found[label.name]} 句">{found[label.name]}</b>'
            for label in labels
            if found[label.name]
        )
        heading = report.sentences[i]
        rows.append(
            f'<li class="d{min(len(heading.headings), 5)}"><a href="#u{i}">{escape(heading.text)}</a>'
            f"{f'<span>{chips}</span>' if chips else ''}</li>"
        )
    return "".join(rows) or "<li>（无标题）</li>"


def _sections(report: Report) -> list[tuple[int, list[Sentence]]]:
    """Each heading's place with the sentences under it; the title heads nothing."""
    sections: list[tuple[int, list[Sentence]]] = []
    above: list[tuple[int, str, list[Sentence]]] = []
    for i, s in enumerate(report.sentences):
        while above and (len(s.headings) <= above[-1][0] or s.headings[above[-1][0]] != above[-1][1]):
            above.pop()
        if s.kind == "heading":
            sections.append((i, []))
            above.append((len(s.headings), s.title, sections[-1][1]))
        else:
            for *_, below in above:
                below.append(s)
    return sections


def _body(report: Report, labels: LabelSet) -> str:
    html: list[str] = []
    end = None
    top = next((i for i, s in enumerate(report.sentences) if s.kind == "heading"), None)
    tags = _tags(labels)
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            html.append(f"<p>{''.join(paragraph)}</p>")
            paragraph.clear()

    for i, s in enumerate(report.sentences):
        if s.kind == "heading":
            close()
            depth = 1 if i == top else min(2 + len(s.headings), 6)
            html.append(f'<h{depth} id="u{i}">{escape(s.text)}</h{depth}>')
        elif s.kind == "furniture":
            close()
            html.append(f'<p class="furniture">{escape(s.text)}</p>')
        else:
            if end is None or "\n" in report.text[end : s.start]:
                close()
            paragraph.append(_sentence(i, s, labels, tags))
        end = s.end
    close()
    return "\n".join(html)


def _tags(labels: LabelSet) -> dict[str, str]:
    """The small tag of each label: its title's first character, or all of it where two begin alike."""
    first = Counter(label.title[0] for label in labels)
    return {
        label.name: f'<sup class="t-{label.name}" aria-hidden="true">'
        f"{escape(label.title[0] if first[label.title[0]] == 1 else label.title)}</sup>"
        for label in labels
    }


def _sentence(i: int, s: Sentence, labels: LabelSet, tags: dict[str, str]) -> str:
    given = s.labels or ()
    names = " ".join(given) or ("none" if s.labels is not None else "")
    percent = [f"{(s.scores or {}).get(label.name, 0):.0%}" for label in labels]
    attributes = f'id="u{i}" class="s{f" f-{given[0]}" if given else ""}" data-labels="{names}" tabindex="-1"'
    if s.scores:
        attributes += f' data-scores="{" ".join(percent)}"'
    if s.review:
        attributes += " data-review"
    if told := "，".join((*(["待复核"] if s.review else []), *_scores(s, labels))):
        attributes += f' title="{escape(told)}"'
    mark = '<sup class="doubt" aria-hidden="true">？</sup>' if s.review else ""
    # bdi: characters that turn the direction of writing turn it in their own sentence only.
    return f"<span {attributes}><bdi>{escape(s.text)}</bdi>{''.join(tags[name] for name in given)}{mark}</span>"


def _scores(s: Sentence, labels: LabelSet) -> Iterator[str]:
    for label in labels:
        if s.scores and label.name in s.scores:
            yield f"{label.title} {s.scores[label.name]:.0%}"


def _review(report: Report, labels: LabelSet) -> str:
    rows = []
    for i, s in enumerate(report.sentences):
        if s.review:
            told = "，".join(sorted(_scores(s, labels), key=lambda text: -int(text.rpartition(" ")[2][:-1]))[:2])
            rows.append(
                f'<li><a href="#u{i}"><span class="line">{escape(s.clean)}</span><small>{escape(told)}</small></a></li>'
            )
    return _panel("review-list", "待复核的句子", len(rows), "".join(rows))


def _metrics(report: Report) -> str:
    rows = []
    figures = 0
    for i, s in enumerate(report.sentences):
        if s.kind == "sentence" and "metric" in (s.labels or ()):
            found = quantities(s)
            figures += len(found)
            said = "".join(map(_figure, found)) or f'<span class="line">{escape(s.clean)}</span>'
            rows.append(f'<li><a href="#u{i}">{said}</a></li>')
    return _panel("metrics", "指标", figures, "".join(rows))


def _figure(quantity: Quantity) -> str:
    moved = " ".join(filter(None, (quantity.period, quantity.comparison, quantity.change)))
    text = "".join(quantity.text.split())
    return (
        f'<span class="figure"><span>{escape(quantity.indicator or "—")}</span>'
        f"<b>{f'<small>{escape(moved)}</small> ' if moved else ''}{escape(text)}</b></span>"
    )


def _panel(name: str, heading: str, count: int, rows: str) -> str:
    rows = rows or '<li class="empty">（无）</li>'
    return f'<details id="{name}" open><summary>{heading} <b>{count}</b></summary><ol>{rows}</ol></details>'
