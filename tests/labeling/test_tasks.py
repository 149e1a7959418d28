"""Records become tasks and tasks the same records; what the server would drop is refused here."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.base.errors import DataError
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.rebuild import reports_from_records
from pizhu.data.records import check_record
from pizhu.data.report import Report, Span
from pizhu.labeling.studio.tasks import choices, read_input, result, to_record, to_tasks

RECORD = {"id": "a1", "doc": "甲.txt", "start": 0, "end": 3, "kind": "sentence", "text": "好的。", "headings": ["一、"]}


def tasks(*records: object) -> list[dict[str, Any]]:
    """Of the records as they are read."""
    read = [check_record(row, f"甲.jsonl, record {number}", needed=()) for number, row in enumerate(records, 1)]
    return to_tasks(read, DEFAULT_LABELS, "甲.jsonl")


def test_neighbours_and_headings_are_shown() -> None:
    text = "一、工作\n第一句。第二句。\n二、打算\n第三句。"
    spans = [Span(0, 4, "heading", 1), Span(5, 9, "sentence"), Span(9, 13, "sentence")]
    spans += [Span(14, 18, "heading", 1), Span(19, 23, "sentence")]
    one, two, three = tasks(*Report.build("报告.txt", text, spans).records())
    assert one["data"]["before"] == "（没有上一句）"
    assert (one["data"]["path"], one["data"]["after"]) == ("报告.txt › 一、工作", "第二句。")
    assert (two["data"]["before"], two["data"]["after"]) == ("第一句。", "第三句。")
    assert (three["data"]["path"], three["data"]["after"]) == ("报告.txt › 二、打算", "（没有下一句）")


def test_headings_go_with_the_sentence_after_them() -> None:
    text = "总结\n一、工作\n第一句。第二句。\n二、打算\n第三句。\n三、结语"
    spans = [Span(0, 2, "heading"), Span(3, 7, "heading", 1), Span(8, 12, "sentence"), Span(12, 16, "sentence")]
    spans += [Span(17, 21, "heading", 1), Span(22, 26, "sentence"), Span(27, 31, "heading", 1)]
    report = Report.build("报告.txt", text, spans)
    made = tasks(*report.records())
    leads = [[heading["text"] for heading in task["data"].get("lead", ())] for task in made]
    assert leads == [["总结", "一、工作"], [], ["二、打算"]]
    # So tasks give the report back as the model reads it, the title that stands in no path included; twice over too.
    again = tasks(*(to_record(task["data"]) for task in made))
    assert [task["data"] for task in again] == [task["data"] for task in made]
    [back] = reports_from_records([to_record(task["data"]) for task in made], DEFAULT_LABELS, "")
    assert [(s.text, s.kind, s.headings) for s in back.sentences] == [
        (s.text, s.kind, s.headings) for s in report.sentences[:-1]
    ]
    with pytest.raises(DataError, match=r"record 1: lead\[0\].text must be a text"):
        reports_from_records([{**RECORD, "lead": [{"text": 1}]}], DEFAULT_LABELS, "甲.jsonl")  # type: ignore[typeddict-item]


def test_another_report_s_sentence_is_no_neighbour() -> None:
    one, two = tasks(RECORD, {**RECORD, "id": "b", "doc": "乙.txt"})
    assert one["data"]["after"] == "（没有下一句）"
    assert two["data"]["before"] == "（没有上一句）"


def test_headings_and_furniture_are_not_sent() -> None:
    assert tasks({**RECORD, "kind": "heading"}, {**RECORD, "kind": "furniture"}) == []


@given(st.text(min_size=1).filter(str.strip), st.lists(st.text(min_size=1), max_size=3), st.integers(0, 10**6))
def test_tasks_give_their_records_back(text: str, headings: list[str], start: int) -> None:
    record = {**RECORD, "text": text, "headings": headings, "start": start, "end": start + len(text), "previous": "前"}
    [task] = tasks(record)
    assert to_record(task["data"]) == record


def test_proposals() -> None:
    [bare] = tasks(RECORD)
    assert bare["predictions"] == []
    [none] = tasks({**RECORD, "labels": []})
    assert none["predictions"] == [{"model_version": "pizhu", "result": result([])}]
    assert choices(none["predictions"][0]["result"]) == ["none"]
    scores = {"achievement": 0.9, "metric": 0.75, "plan": 0.4}
    [scored] = tasks({**RECORD, "labels": ["metric", "achievement"], "scores": scores, "model": "第一版"})
    [proposal] = scored["predictions"]
    assert choices(proposal["result"]) == ["achievement", "metric"]
    assert (proposal["score"], proposal["model_version"]) == (0.6, "第一版")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": ""}, "id must be a non-empty text"),
        ({"id": 5}, "id must be a text"),
        ({"text": "  "}, "text must be a non-empty text"),
        ({"doc": None}, "doc must be a text, not null"),
        ({"start": "0"}, "start must be a whole number"),
        ({"end": -1}, "end -1 is no range"),
        ({"start": True}, "start must be a whole number, not true or false"),
        ({"headings": "一、"}, "headings must be a list"),
        ({"previous": None}, "previous must be a text"),
        ({"labels": ["成效"]}, "unknown label '成效'"),
        ({"labels": "plan"}, "labels must be a list or null"),
        ({"scores": {"plan": 0.5}}, "labels must be a list of label names"),
        ({"labels": [], "scores": {"plan": 1.5}}, "score of 'plan' is 1.5"),
        ({"labels": [], "scores": {"plan": float("nan")}}, "score of 'plan' is nan"),
        ({"labels": [], "scores": {"plan": "high"}}, "a value of scores must be a number, not a text"),
        ({"labels": [], "scores": {"wish": 0.5}}, "unknown label 'wish'"),
        ({"labels": [], "scores": [0.5]}, "scores must be an object or null, not a list"),
        ({"labels": [], "model": ""}, "model must be a non-empty text"),
    ],
)
def test_bad_records_are_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as error:
        tasks(RECORD, {**RECORD, **change})
    assert "甲.jsonl, record 2" in str(error.value)


def test_a_foreign_task_is_told() -> None:
    with pytest.raises(DataError, match="pizhu did not make it"):
        to_record({"text": "别处导入的"})


def test_reports_are_read(tmp_path: Path) -> None:
    path = tmp_path / "小 报告.txt"
    path.write_text("一、工作\n\n开展检查12次。下一步继续努力。\n", encoding="utf-8")
    assert [task["data"]["text"] for task in tasks(*read_input(path))] == ["开展检查12次。", "下一步继续努力。"]
