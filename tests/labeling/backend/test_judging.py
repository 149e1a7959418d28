"""A model is never scored on what it was trained on, now or later."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.base.errors import LabelingError
from pizhu.base.files import read_records, write_records
from pizhu.data.corpus.load import load_corpus
from pizhu.labeling.backend.judging import divide, prepare

Docs = st.lists(st.text("甲乙丙丁戊己庚辛", min_size=1, max_size=4), unique=True, max_size=30)


@given(st.lists(Docs, max_size=5))
def test_no_report_ever_changes_sides(rounds: list[list[str]]) -> None:
    taught: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    for docs in rounds:
        now = divide(docs, taught, held)
        assert sorted(now.taught + now.held) == sorted(docs)
        taught, held = tuple({*taught, *now.taught}), tuple({*held, *now.held})
        assert not set(taught) & set(held)


def test_two_reports_are_enough_to_judge() -> None:
    for docs in (["甲.txt", "乙.txt"], [f"{n}.txt" for n in range(100)]):
        division = divide(docs)
        assert division.taught and division.held
    assert 10 <= len(divide([f"{n}.txt" for n in range(100)]).held) <= 30


def answers(path: Path, **docs: list[str] | None) -> Path:
    rows = [
        {"doc": doc, "start": 0, "end": 3, "text": "好的。", "headings": [], "labels": labels}
        for doc, labels in docs.items()
    ]
    write_records(path, rows)
    return path


def test_the_shipped_validation_split_judges_too(tmp_path: Path) -> None:
    training, judged = tmp_path / "training.jsonl", tmp_path / "judged.jsonl"
    given = answers(tmp_path / "answers.jsonl", 甲=["plan"], 乙=[], 丙=None)
    division = prepare(given, training, judged, corpus=True)
    assert {*division.taught, *division.held} == {"甲", "乙"}  # nobody labelled 丙
    assert {row["doc"] for row in read_records(training)} == set(division.taught)
    shipped = {found.report.doc for found in load_corpus(split="validation")}
    assert {row["doc"] for row in read_records(judged)} == shipped | set(division.held)


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    files = tmp_path / "training.jsonl", tmp_path / "judged.jsonl"
    with pytest.raises(LabelingError, match="no sentence has labels"):
        prepare(answers(tmp_path / "a.jsonl", 甲=None), *files, corpus=True)
    with pytest.raises(LabelingError, match="need two labelled reports"):
        prepare(answers(tmp_path / "b.jsonl", 甲=["plan"]), *files, corpus=False)
    with pytest.raises(LabelingError, match="held out"):
        prepare(answers(tmp_path / "b.jsonl", 甲=["plan"]), *files, corpus=True, held=["甲"])
