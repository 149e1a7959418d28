"""Writes a report as one self-contained HTML page.

The page has sentences coloured by label, filters, search, an outline with counts, and lists of the sentences to review
and of the figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from ...base.page.templates import macro
from ...data.labels import Label, LabelSet
from ...data.quantities import quantities
from ...data.report import Report, Sentence
from .template import assemble, sheet

if TYPE_CHECKING:
    from markupsafe import Markup

    _Looks = dict[tuple[str, ...] | None, tuple[Markup, Markup]]

_KEYS = "achjkr"
"""Letters that the page uses as keys itself (web/page.html.j2, web/page.js)."""


class _Shown(NamedTuple):
    """A sentence as the page shows it.

    Attributes:
        place: its index in ``Report.sentences``.
        text: its text.
        attributes, tags: the HTML that shows its labels (web/sentence.html.j2).
        scores: the scores of all labels, for the page's script; empty if there are none.
        tooltip: the text shown under the pointer.
        review: whether a person should review it.
    """

    place: int
    text: str
    attributes: Markup
    tags: Markup
    scores: str
    tooltip: str
    review: bool


class _Block(NamedTuple):
    """A heading (``depth`` is 1 to 6), a piece of furniture (no sentences), or a paragraph of sentences."""

    depth: int
    place: int
    text: str
    sentences: list[_Shown]


def page(report: Report, labels: LabelSet) -> str:
    """The page. Text from the report is escaped everywhere: it is data, never markup."""
    return "".join(pieces(report, labels))


def pieces(report: Report, labels: LabelSet) -> Iterator[str]:
    """The page in lazily rendered pieces, so that a long report's page is never in memory as a whole."""
    return assemble(
        "page",
        sheet("page", labels),
        title=title(report),
        doc=report.doc,
        counts=counts(report.sentences),
        keys=list(zip(labels, hotkeys(labels), strict=True)),
        outline=_outline(report, labels),
        blocks=_blocks(report, labels),
        review=_review(report, labels),
        metrics=_metrics(report) if "metric" in labels.names else None,
    )


def hotkeys(labels: LabelSet) -> list[str]:
    """The key of each label: its hot key, or a free digit if the page uses that key; empty if no digit is left."""
    free = [digit for digit in "123456789" if digit not in {label.hotkey for label in labels}]
    return [label.hotkey if label.hotkey not in _KEYS else free.pop(0) if free else "" for label in labels]


def title(report: Report) -> str:
    """The report's title, else its name."""
    return report.title or report.doc


def counts(sentences: Iterable[Sentence]) -> Counter[str]:
    """How many of the sentences have each label; ``none`` counts annotated sentences without a label."""
    found: Counter[str] = Counter()
    for s in sentences:
        if s.kind == "sentence" and s.labels is not None:
            found.update(s.labels or ("none",))
    return found


def _outline(report: Report, labels: LabelSet) -> Iterator[tuple[int, int, str, list[tuple[Label, int]]]]:
    """(index, depth, text, how many sentences below it have each label) of each heading."""
    for i, below in _sections(report):
        found = counts(below)
        heading = report.sentences[i]
        chips = [(label, found[label.name]) for label in labels if found[label.name]]
        yield i, min(len(heading.headings), 5), heading.text, chips


def _sections(report: Report) -> list[tuple[int, list[Sentence]]]:
    """Each heading's index with the sentences under it; the title has none."""
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


def _blocks(report: Report, labels: LabelSet) -> Iterator[_Block]:
    """The report from top to bottom."""
    end = None
    top = next((i for i, s in enumerate(report.sentences) if s.kind == "heading"), None)
    paragraph: list[_Shown] = []
    looks = _looks(report, labels)
    for i, s in enumerate(report.sentences):
        if paragraph and (s.kind != "sentence" or "\n" in report.text[end : s.start]):
            yield _Block(0, paragraph[0].place, "", paragraph)
            paragraph = []
        if s.kind == "heading":
            yield _Block(1 if i == top else min(2 + len(s.headings), 6), i, s.text, [])
        elif s.kind == "furniture":
            yield _Block(0, i, s.text, [])
        else:
            paragraph.append(_shown(i, s, labels, looks))
        end = s.end
    if paragraph:
        yield _Block(0, paragraph[0].place, "", paragraph)


def _short(labels: LabelSet) -> dict[str, str]:
    """The text of each label's small tag: its title's first character, or the whole title if two begin alike."""
    first = Counter(label.title[0] for label in labels)
    return {label.name: label.title[0] if first[label.title[0]] == 1 else label.title for label in labels}


def _looks(report: Report, labels: LabelSet) -> _Looks:
    """The attributes and tags for each set of labels, rendered once: a report has few sets and many sentences.

    In the script's attribute, an annotated sentence without a label has ``none``, and an unannotated one is empty.
    """
    attributes, tags = (macro("annotate/web/sentence.html.j2", of) for of in ("attributes", "tags"))
    short = _short(labels)
    looks: _Looks = {}
    for given in {s.labels for s in report.sentences}:
        names = " ".join(given or ()) or ("none" if given is not None else "")
        looks[given] = attributes(given or (), names), tags(given or (), short)
    return looks


def _shown(i: int, s: Sentence, labels: LabelSet, looks: _Looks) -> _Shown:
    percent = {name: f"{score:.0%}" for name, score in (s.scores or {}).items()}
    scores = " ".join([percent.get(name, "0%") for name in labels.names]) if percent else ""
    parts = [f"{label.title} {percent[label.name]}" for label in labels if label.name in percent]
    return _Shown(i, s.text, *looks[s.labels], scores, "，".join(["待复核", *parts] if s.review else parts), s.review)


def _scores(s: Sentence, labels: LabelSet) -> Iterator[str]:
    for label in labels:
        if s.scores and label.name in s.scores:
            yield f"{label.title} {s.scores[label.name]:.0%}"


def _review(report: Report, labels: LabelSet) -> list[tuple[int, str, str]]:
    """(index, text, its two highest scores) of each sentence to review."""
    return [
        (i, s.clean, "，".join(sorted(_scores(s, labels), key=lambda text: -int(text.rpartition(" ")[2][:-1]))[:2]))
        for i, s in enumerate(report.sentences)
        if s.review
    ]


def _metrics(report: Report) -> list[tuple[int, str, tuple[tuple[str, str, str], ...]]]:
    """(index, text, figures) of each metric sentence; a figure is (indicator, period and change, text).

    The text is empty if there are figures.
    """
    rows = []
    for i, s in enumerate(report.sentences):
        if s.kind == "sentence" and "metric" in (s.labels or ()):
            figures = tuple(
                (
                    quantity.indicator,
                    " ".join(filter(None, (quantity.period, quantity.comparison, quantity.change))),
                    "".join(quantity.text.split()),
                )
                for quantity in quantities(s)
            )
            rows.append((i, "" if figures else s.clean, figures))
    return rows
