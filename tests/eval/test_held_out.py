"""Which reports a model may be scored on, according to its folder."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pizhu.base.errors import DataError
from pizhu.data.report import Report
from pizhu.eval.held_out import Division, divide

ORIGIN = {
    "data": {"training": ["taught"], "validation": ["tuned", "both"], "earlier": ["once", "both"]},
    "unlabelled": {"reports": ["read"]},
}


def names(found: Division) -> tuple[list[str], list[str], list[str]]:
    left, middle, right = ([r.doc for r in part] for part in (found.scored, found.learned, found.validation))
    return left, middle, right


@pytest.fixture
def reports(labelled: Report) -> dict[str, Report]:
    return {doc: replace(labelled, doc=doc) for doc in ("new", "taught", "read", "once", "both", "tuned")}


def test_all_that_the_model_learned_from_is_left_out(reports: dict[str, Report]) -> None:
    found = divide(reports.values(), ORIGIN)
    assert names(found) == (["new"], ["taught", "read", "once", "both"], ["tuned"]) and not found.flattering
    assert found.notes() == [
        "4 reports left out: the model was trained on them",
        "1 report left out: the model's thresholds were chosen on them",
    ]


def test_validation_reports_are_scored_where_nothing_else_is_left(reports: dict[str, Report]) -> None:
    del reports["new"]
    found = divide(reports.values(), ORIGIN)
    assert names(found) == (["tuned"], ["taught", "read", "once", "both"], []) and found.flattering
    assert "the figures flatter" in found.notes()[1]


def test_what_was_learned_is_never_scored(reports: dict[str, Report]) -> None:
    del reports["new"], reports["tuned"]
    with pytest.raises(DataError, match="was trained on all 4 labelled reports here; label reports that it has not"):
        divide(reports.values(), ORIGIN)


def test_reports_without_labels_do_not_count(reports: dict[str, Report]) -> None:
    blank = [r.with_labels([None for _ in r.sentences]) for r in reports.values()]
    with pytest.raises(DataError, match="no labelled sentence to evaluate on"):
        divide(blank, ORIGIN)
    assert names(divide([*blank, replace(reports["new"], doc="other")], ORIGIN)) == (["other"], [], [])


def test_a_model_that_records_nothing(reports: dict[str, Report]) -> None:
    assert len(divide(reports.values(), {}).scored) == 6
