"""From records back to reports: nothing that the model reads is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.errors import DataError
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.rebuild import reports_from_records
from pizhu.data.records import Record
from pizhu.data.report import Report, Span

if TYPE_CHECKING:
    from pizhu.data.report import Sentence


def back(records: list[Record]) -> list[Report]:
    return reports_from_records(records, DEFAULT_LABELS, "here")


def seen(sentences: list[Sentence]) -> list[tuple[object, ...]]:
    return [(s.id, s.kind, s.text, s.headings, s.labels) for s in sentences]


@pytest.mark.parametrize("only_sentences", [False, True])
def test_the_corpus_there_and_back(only_sentences: bool) -> None:
    """With all records, and with the sentences alone, as they come back from annotators."""
    reports = [c.report for c in load_corpus(split="test")]
    records = [r for report in reports for r in report.records() if not only_sentences or r["kind"] == "sentence"]
    found = back(records)
    assert [r.doc for r in found] == [r.doc for r in reports]
    for one, other in zip(reports, found, strict=True):
        want = [s for s in one.sentences if s.kind == "sentence"]
        assert seen([s for s in other.sentences if s.kind == "sentence"]) == seen(want)
        if not only_sentences:
            assert seen(list(other.sentences)) == seen(list(one.sentences))


@st.composite
def reports(draw: st.DrawFn) -> Report:
    words = st.text(alphabet="甲乙 丙。", min_size=1, max_size=6)
    text, spans = "", []
    for _ in range(draw(st.integers(1, 15))):
        piece = draw(words)
        kind = draw(st.sampled_from(["sentence", "heading", "furniture"]))
        level = 0 if kind == "furniture" else draw(st.integers(0, 3))
        text += draw(st.sampled_from(["\n", ""]))
        spans.append(Span(len(text), len(text) + len(piece), kind, level))  # type: ignore[arg-type]
        text += piece
    return Report.build("r.txt", text, spans)


@settings(deadline=None, max_examples=300)
@given(reports(), st.booleans())
def test_any_headings_there_and_back(report: Report, only_sentences: bool) -> None:
    records = [r for r in report.records() if not only_sentences or r["kind"] == "sentence"]
    found = back(records)
    kept = [s for s in report.sentences if not only_sentences or s.kind == "sentence"]
    if not kept:
        assert found == []
        return
    if only_sentences:
        texts = [(s.text, s.headings) for s in found[0].sentences if s.kind == "sentence"]
        assert texts == [(s.text, s.headings) for s in kept]
    else:
        assert [(s.text, s.headings) for s in found[0].sentences] == [(s.text, s.headings) for s in kept]


def test_missing_headings_are_put_back() -> None:
    rows = [record(0, "改了。", headings=["一、工作", "（一）改革"]), record(9, "要改。", headings=["二、打算"])]
    (report,) = back(rows)
    assert report.text == "一、工作\n（一）改革\n改了。\n二、打算\n要改。"
    assert [(s.kind, s.labels) for s in report.sentences] == [
        ("heading", ()),
        ("heading", ()),
        ("sentence", None),
        ("heading", ()),
        ("sentence", None),
    ]


def test_a_heading_that_a_sentence_carries_along_stands_once() -> None:
    """Of a report given with the answers to its sentences, the headings are there as records and as ``lead``."""
    rows = [
        record(0, "一、工作", kind="heading", headings=[]),
        record(5, "改了。", headings=["一、工作"], lead=[{"start": 0, "end": 4, "text": "一、工作", "headings": []}]),
        record(13, "要改。", headings=["二、打算"], lead=[{"start": 8, "end": 12, "text": "二、打算", "headings": []}]),
    ]
    (report,) = back(rows)
    assert report.text == "一、工作\n改了。\n二、打算\n要改。"


def test_order_neighbours_and_reports() -> None:
    rows = [record(9, "丙。", doc="b"), record(3, "乙。", labels=["metric", "plan", "plan"]), record(1, "甲。")]
    one, two = back(rows)
    assert (one.doc, one.text) == ("b", "丙。")
    assert two.text == "甲。乙。"  # touching ranges stay in one paragraph
    assert two.sentences[1].labels == ("plan", "metric")  # in the label set's order


def record(start: int, text: str, **more: Any) -> Any:
    return {"doc": "a", "start": start, "end": start + len(text), "text": text, "labels": None, **more}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"doc": None}, "here, record 2: doc must be a text, not null"),
        ({"start": "1"}, "record 2: start must be a whole number, not a text"),
        ({"text": 3}, "record 2: text must be a text, not a whole number"),
        ({"start": 7, "end": 3}, "start 7, end 3 is not a range"),
        ({"start": -1}, "start -1, end .* is not a range"),
        ({"labels": "plan"}, "record 2: labels must be a list or null, not a text"),
        ({"labels": [1]}, r"record 2: labels\[0\] must be a text, not a whole number"),
        ({"labels": ["plans"]}, "unknown label 'plans', expected one of achievement"),
        ({"headings": "一、"}, "record 2: headings must be a list, not a text"),
        ({"headings": [1]}, r"record 2: headings\[0\] must be a text"),
        ({"kind": "title"}, "record 2: kind must be one of sentence, heading, furniture"),
    ],
)
def test_wrong_records(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        back([record(0, "甲。"), record(2, "乙。") | change])
