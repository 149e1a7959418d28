"""Reports: ranges of one text, heading paths, stable ids."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.data.report import Report, Span, normalise

TEXT = "题目\n一、工作\n（一）改革\n改了。改了。\n（二）开放\n二、打算\n要改。"


def span(piece: str, kind: str = "sentence", level: int = 0, reach: int = 0, start: int = 0) -> Span:
    at = TEXT.index(piece, start)
    return Span(at, at + len(piece), kind, level, reach)  # type: ignore[arg-type]


SPANS = [
    span("题目", "heading"),
    span("一、工作", "heading", 1),
    span("（一）改革", "heading", 2),
    span("改了。"),
    span("改了。", start=TEXT.index("改了。") + 1),
    span("（二）开放", "heading", 2),
    span("二、打算", "heading", 1),
    span("要改。"),
]


def test_heading_paths_and_texts() -> None:
    report = Report.build("a.txt", TEXT, SPANS)
    assert [(s.text, s.headings) for s in report.sentences] == [
        ("题目", ()),
        ("一、工作", ()),
        ("（一）改革", ("一、工作",)),
        ("改了。", ("一、工作", "（一）改革")),
        ("改了。", ("一、工作", "（一）改革")),
        ("（二）开放", ("一、工作",)),
        ("二、打算", ()),
        ("要改。", ("二、打算",)),
    ]
    assert "题目" not in repr(report.sentences[3])


def test_an_inline_heading_rules_as_far_as_it_reaches() -> None:
    text = "一是快。很快。完了。"
    spans = [Span(0, 4, "sentence", 3, 7), Span(4, 7, "sentence"), Span(7, 10, "sentence")]
    assert [s.headings for s in Report.build("a", text, spans).sentences] == [(), ("一是快。",), ()]


def test_identities_tell_sentences_apart_and_stay() -> None:
    report = Report.build("a.txt", TEXT, SPANS)
    ids = [s.id for s in report.sentences]
    assert len(set(ids)) == len(ids)
    assert all(len(i) == 16 and int(i, 16) >= 0 for i in ids)
    assert ids[7] == Report.build("a.txt", TEXT + "更多。", SPANS).sentences[7].id
    shifted = Report.build("a.txt", "\n" + TEXT, [s._replace(start=s.start + 1, end=s.end + 1) for s in SPANS])
    assert [s.id for s in shifted.sentences] == ids
    assert ids[7] != Report.build("b.txt", TEXT, SPANS).sentences[7].id
    wide = Report.build("a.txt", TEXT.replace("要改。", "要 改。"), [*SPANS[:7], SPANS[7]._replace(end=len(TEXT) + 1)])
    assert wide.sentences[7].id == ids[7]


def test_records() -> None:
    report = Report.build("a.txt", TEXT, SPANS)
    scores = [None] * 7 + [{"plan": 0.123456, "metric": 0.0}]
    doubts = [False] * 7 + [True]
    records = report.with_labels([()] * 3 + [None, ("achievement",), (), (), ("plan",)], scores, doubts).records()
    assert [r["labels"] for r in records] == [[], [], [], None, ["achievement"], [], [], ["plan"]]
    assert [r["previous"] for r in records] == ["", "", "", "", "改了。", "改了。", "改了。", "改了。"]
    assert records[7]["scores"] == {"plan": 0.1235, "metric": 0.0}
    assert records[7]["review"] is True
    assert not {"scores", "review"} & set(records[3])
    assert set(records[3]) == {"id", "doc", "start", "end", "kind", "text", "headings", "previous", "labels"}
    json.dumps(records)


def test_labels_for_each_entry() -> None:
    with pytest.raises(ValueError, match="zip"):
        Report.build("a.txt", TEXT, SPANS).with_labels([()])


@given(st.text(max_size=80), st.data())
def test_any_ranges_of_any_text(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    spans = [
        Span(a, b, data.draw(st.sampled_from(["sentence", "heading", "furniture"])), data.draw(st.integers(0, 4)))
        for a, b in pairwise(cuts)
    ]
    report = Report.build("x", text, spans)
    assert [(s.start, s.end) for s in report.sentences] == [(s.start, s.end) for s in spans]
    assert all(s.text == text[s.start : s.end] for s in report.sentences)
    assert len({s.id for s in report.sentences}) == len(report.sentences)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("全 年\u3000完成\n了", "全年完成了"),
        ("ＧＤＰ增长５．５％", "GDP增长5.5%"),
        ("\ufeff完\u200b成\u202e", "完成"),
        ("“双随机”", "“双随机”"),
        ("a\ud800b", "ab"),
    ],
)
def test_normalise(text: str, plain: str) -> None:
    assert normalise(text) == plain


def test_the_title_is_the_first_heading() -> None:
    text = "某县档案馆总结\n一、回顾\n办结三件。"
    headed = Report.build(
        "甲.txt", text, [Span(0, 7, "heading", 1), Span(8, 12, "heading", 2), Span(13, 18, "sentence")]
    )
    assert headed.title == "某县档案馆总结" and headed.heading is headed.sentences[0]
    bare = Report.build("乙.txt", text, [Span(13, 18, "sentence")])
    assert bare.title == "" and bare.heading is None
