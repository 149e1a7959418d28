"""Every page with hostile text wherever it shows others' text: it is shown, and is never more than text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.analysis.compare.links import Rule, Rules, compare_reports
from pizhu.analysis.compare.page import page as comparison
from pizhu.annotate.service.home import home
from pizhu.annotate.service.settings import Settings
from pizhu.annotate.writers.index import Summary, index_page
from pizhu.annotate.writers.page import page as annotated
from pizhu.base.files import write_records
from pizhu.base.page import assemble
from pizhu.base.page.charts import Axis, Plot
from pizhu.base.page.templates import render
from pizhu.data.labels import Label, LabelSet
from pizhu.data.report import Report, Span
from pizhu.labeling.agreement import agreement
from pizhu.labeling.agreement.page import page as agreed
from pizhu.labeling.backend.page import page as backend
from pizhu.labeling.studio.answers import read_answers
from pizhu.tests.support.hostile import CLOSE, HOSTILE, OPEN, bare, shown, texts

Texts = Iterator[str]


def short(text: str, start: object = "", most: int = 40) -> str:
    """As much of a text as a name or a title can hold, behind what tells it from others."""
    inside = re.sub("[\ud800-\udfff]", "", text).strip(OPEN + CLOSE)
    return f"{OPEN}{start}{inside[:most]}{CLOSE}"


def labels(said: Texts) -> LabelSet:
    """Labels with hostile titles and descriptions."""
    plan = Label("plan", short(next(said), 1), "#112233", "1", short(next(said)))
    return LabelSet((plan, Label("metric", short(next(said), 2), "#445566", "2", short(next(said)))))


def report(said: Texts, labels: LabelSet) -> Report:
    """Headings, furniture and sentences, labelled, with scores and doubts."""
    kinds: list[Any] = ["heading", "furniture", "heading", "sentence", "sentence", "sentence"]
    text, spans = "", []
    for place, kind in enumerate(kinds):
        piece = next(said) + ("完成3件。" if place == 4 else "")
        spans.append(Span(len(text), len(text) + len(piece), kind, int(place == 2)))
        text += piece + "\n"
    given = [labels.names if kind == "sentence" else () for kind in kinds]
    scores = [dict.fromkeys(labels.names, 0.5) if kind == "sentence" else None for kind in kinds]
    return Report.build(f"{next(said)}.txt", text, spans).with_labels(given, scores, [k == "sentence" for k in kinds])


def of_report(said: Texts) -> str:
    known = labels(said)
    return annotated(report(said, known), known)


def of_run(said: Texts) -> str:
    known = labels(said)
    rows = [Summary(next(said), next(said), 3, {"plan": 2}, 1, "../a.html", next(said)) for _ in range(2)]
    return index_page(rows, known, [(next(said), next(said))], next(said))


def of_comparison(said: Texts) -> str:
    known = labels(said)
    one, other = report(said, known), report(said, known)
    achieved = [("achievement", "shortcoming") if s.kind == "sentence" else () for s in other.sentences]
    return comparison(compare_reports(one, other.with_labels(achieved), rules=Rules(*[Rule(-9, 1)] * 3)))


def of_service(said: Texts) -> str:
    return home(labels(said), Settings())[0]


def of_training(said: Texts) -> str:
    run = dict.fromkeys(("reports", "present", "new", "ended")) | {"number": 1, "began": "2026-01-02T03:04:05Z"}
    run |= {"stage": "failed", "why": next(said), "error": next(said), "log": [next(said), next(said)]}
    model = {"version": next(said), "labels": {"a": next(said)}}
    state = {"project": next(said), "model": model, "problem": None, "every": 0, "annotations_since": 0}
    return backend({**state, "context_problem": next(said), "run": run})


def of_agreement(said: Texts) -> str:
    known = labels(said)
    people = [short(next(said), number, 6) for number in range(3)]  # ten characters of a name stand beside the map
    rows = []
    for number in range(6):
        answers = [{"annotator": name, "labels": ["plan"] if number % (i + 2) else []} for i, name in enumerate(people)]
        place = {"doc": next(said), "headings": [next(said)], "previous": next(said)}
        rows.append({"id": f"{number:016x}", "text": next(said), **place, "answers": answers})
    with TemporaryDirectory() as folder:
        write_records(file := Path(folder) / "answers.jsonl", rows)
        return agreed(agreement(read_answers(file, known), known, draws=5), known, data=next(said))


def of_figures(said: Texts) -> str:
    """What every page of figures is put together from."""
    plot = Plot(next(said), Axis(0, 1, (0, 1), next(said)), Axis(0, 1, (0, 1), names=(next(said), next(said))))
    plot.dot(0, 1, "#000000", note=next(said))
    plot.text(1, 0, next(said))
    tile = (next(said), next(said), next(said))
    return assemble(next(said), next(said), [tile], [("a", next(said), plot.svg())], title=next(said))


PAGES: list[Callable[[Texts], str]] = [
    of_report,
    of_run,
    of_comparison,
    of_service,
    of_training,
    of_agreement,
    of_figures,
]


@pytest.mark.parametrize("made", PAGES, ids=lambda made: made.__name__)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(made: Callable[[Texts], str], text: str) -> None:
    html = made(cycle([f"{OPEN}{text}{CLOSE}"]))
    found = shown(unescaped_facts(html) if made is of_service else html)
    assert made is of_service or bare(text) in found
    assert "49" not in "".join(found) and f"{OPEN}49" not in html


@pytest.mark.parametrize("made", PAGES, ids=lambda made: made.__name__)
@settings(max_examples=25, deadline=None)
@given(said=st.lists(texts, min_size=1, max_size=5))
def test_any_text_is_only_text(made: Callable[[Texts], str], said: list[str]) -> None:
    if made is of_comparison:  # it shows what a figure measures, cut out of its sentence: such a text has no end
        said = [re.sub(r"\d|[〇零一二两三四五六七八九十百千万亿半]", "甲", text) for text in said]
    shown(made(cycle(said)))


def unescaped_facts(html: str) -> str:
    """The service's page without its facts, once they were read as its script reads them."""
    (facts,) = re.findall(r'data-facts="([^"]*)"', html)
    assert json.loads(unescape(facts))["labels"]["none"] == "无"
    return html


def test_a_missing_value_is_a_fault() -> None:
    """Not an empty place that nobody sees."""
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError, match="is undefined"):
        render("base/page/figures.html.j2", heading="a")


def test_markup_is_taken_as_it_is_and_text_is_not() -> None:
    plot = Plot("<b>", Axis(0, 1, (0, 1)), Axis(0, 1, (0, 1)))
    html = assemble("a", "<b>", [], [("k", "<i>", plot.svg())])
    assert "<svg viewBox" in html and 'aria-label="&lt;b&gt;"' in html
    assert "<p>&lt;b&gt;</p>" in html and "<h2>&lt;i&gt;</h2>" in html
