"""Tasks give their report back, or an error."""

import sys
from typing import Any

import pytest
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report
from pizhu.labeling.backend.context import Reports, surroundings
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.tasks import to_tasks

from .conftest import no_label_studio


def data(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [task["data"] for task in tasks]


def test_all_tasks_are_the_whole_report(report: Report, report_tasks: list[dict[str, Any]]) -> None:
    around = surroundings(data(report_tasks), DEFAULT_LABELS)
    assert around.whole
    assert around.ids == tuple(s.id for s in report.sentences if s.kind == "sentence")
    texts = [s.text for s in report.sentences if s.kind != "furniture"]
    while texts and texts[-1] != around.report.sentences[-1].text:  # headings after the last sentence head nothing
        texts.pop()
    assert [s.text for s in around.report.sentences] == texts


def test_each_missing_task_is_noticed(report_tasks: list[dict[str, Any]]) -> None:
    rows = data(report_tasks)
    for place in range(len(rows)):
        around = surroundings(rows[:place] + rows[place + 1 :], DEFAULT_LABELS)
        assert not around.whole
        # The sentence before stands in as context where there is one.
        known = [key for key in around.ids if key is not None]
        assert known == [row["id"] for row in rows if row is not rows[place]]
        if place < len(rows) - 1:
            assert rows[place]["text"] in [s.text for s in around.report.sentences]


def test_a_report_may_begin_without_a_heading(report: Report) -> None:
    records = report.records()
    while records[0]["kind"] != "sentence":
        records.pop(0)
    rows = [task["data"] for task in to_tasks(records, DEFAULT_LABELS, report.doc)]
    assert "lead" not in rows[0] and any("lead" in row for row in rows)
    assert surroundings(rows, DEFAULT_LABELS).whole
    assert not surroundings(rows[1:], DEFAULT_LABELS).whole


def test_headings_that_stand_in_paths_alone_are_a_part(report_tasks: list[dict[str, Any]]) -> None:
    """As in projects to which an early pizhu pushed."""
    rows = [{name: value for name, value in row.items() if name != "lead"} for row in data(report_tasks)]
    assert not surroundings(rows, DEFAULT_LABELS).whole
    assert surroundings([{**row, "headings": []} for row in rows], DEFAULT_LABELS).whole


def test_without_the_sdk_it_says_so(report_tasks: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "label_studio_sdk", None)
    reports = Reports(lambda: Access("http://127.0.0.1:9", "token"), DEFAULT_LABELS)
    assert not reports.around(7, data(report_tasks[:1])).whole
    assert "pip install 'pizhu[label]'" in reports.problem


def test_without_label_studio_it_says_why(report_tasks: list[dict[str, Any]]) -> None:
    reports = Reports(no_label_studio, DEFAULT_LABELS)
    around = reports.around(7, data(report_tasks[:1]))
    assert not around.whole
    assert reports.problem == "no Label Studio is running here"
    assert reports.around(7, data(report_tasks[:1])) is around
