"""How several annotators' answers combine, and which answer files are refused."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.base.errors import DataError
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.labeling.studio.answers import Answer, answered, interpret, latest, merge, read_answers

LABELS = st.lists(st.sampled_from(DEFAULT_LABELS.names), unique=True).map(
    lambda names: DEFAULT_LABELS.check(names, "here")
)


def said(annotator: str, *labels: str, at: str = "2026-01-01T00:00:00Z") -> Answer:
    return Answer(annotator, labels, at=at)


def skipped(annotator: str) -> Answer:
    return Answer(annotator, None, skipped=True)


@pytest.mark.parametrize(
    ("answers", "state", "labels"),
    [
        ([], "unlabelled", None),
        ([said("甲")], "none", ()),
        ([said("甲"), said("乙")], "none", ()),
        ([said("甲", "plan"), said("乙", "plan")], "labelled", ("plan",)),
        ([said("甲", "plan"), said("乙", "plan", "metric")], "contested", None),
        ([said("甲"), said("乙", "plan")], "contested", None),
        ([skipped("甲"), skipped("乙")], "skipped", None),
        ([skipped("甲"), said("乙", "metric")], "labelled", ("metric",)),
        ([skipped("甲"), said("乙")], "none", ()),
        ([Answer("甲", None, choices=("none", "plan"))], "contested", None),
        ([Answer("甲", None, choices=()), said("乙", "plan")], "contested", None),
    ],
)
def test_merging(answers: list[Answer], state: str, labels: tuple[str, ...] | None) -> None:
    merged = merge(answers)
    assert (merged.state, merged.labels) == (state, labels)


def test_an_annotator_s_last_answer_counts() -> None:
    answers = [said("甲", "plan", at="2026-01-02"), said("甲", "metric", at="2026-01-01"), said("乙", "plan")]
    assert merge(answers).labels == ("plan",)
    assert len(latest(answers)) == 2


@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.none() | LABELS), max_size=6), st.randoms())
def test_the_order_of_annotators_does_not_matter(given_: list[tuple[str, tuple[str, ...] | None]], random) -> None:  # type: ignore[no-untyped-def]
    answers = [Answer(name, labels, labels is None, at=f"{n:03}") for n, (name, labels) in enumerate(given_)]
    shuffled = answers.copy()
    random.shuffle(shuffled)
    assert merge(shuffled) == merge(answers)


@given(st.lists(st.tuples(st.sampled_from("甲乙"), st.none() | LABELS), max_size=4))
def test_records_give_the_same_answers_back(given_: list[tuple[str, tuple[str, ...] | None]]) -> None:
    answers = [Answer(name, labels, labels is None, "2026-01-01", 2.5) for name, labels in given_]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "答 案.jsonl"
        path.write_text(json.dumps(answered({"text": "句子。"}, answers), ensure_ascii=False) + "\n", encoding="utf-8")
        [(record, read)] = read_answers(path, DEFAULT_LABELS)
    assert read == answers
    assert (record["labels"] is None) == (record["state"] not in ("labelled", "none"))


@pytest.mark.parametrize(
    ("chosen", "meant"),
    [
        (["none"], ()),
        (["metric", "achievement"], ("achievement", "metric")),
        ([], None),
        (["none", "plan"], None),
        (["成效"], None),
    ],
)
def test_what_choices_mean(chosen: list[str], meant: tuple[str, ...] | None) -> None:
    assert interpret(chosen, DEFAULT_LABELS) == meant


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"text": "句"}', "not an answers record"),
        ('{"text": "句", "answers": [{"labels": []}]}', r"answers\[0\] lacks annotator"),
        ('{"text": "句", "answers": [{"annotator": "甲"}]}', "needs labels"),
        ('{"text": "句", "answers": [{"annotator": "甲", "labels": ["成效"]}]}', "unknown label '成效'"),
        (
            '{"text": "句", "answers": [{"annotator": "甲", "labels": "plan"}]}',
            "labels must be a list or null, not a text",
        ),
        ('{"text": "句", "answers": [{"annotator": "甲", "labels": [], "skipped": true}]}', "labels of a skipped"),
        ('{"text": "句", "answers": [{"annotator": "甲", "labels": [], "lable": 1}]}', "unknown field 'lable'"),
        (
            '{"text": "句", "answers": [{"annotator": "甲", "labels": [], "at": 5}]}',
            "at must be a text or null, not a whole number",
        ),
        ("[1]", "JSON object"),
    ],
)
def test_bad_answers_are_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "好", "answers": []}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=complaint) as error:
        read_answers(path, DEFAULT_LABELS)
    assert "2" in str(error.value)
