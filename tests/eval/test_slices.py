"""Slices of the data: every sentence in its group, each group scored separately."""

from __future__ import annotations

import numpy as np
import pytest
from pizhu.data.corpus.load import load_corpus
from pizhu.data.report import Report, Span
from pizhu.eval.metrics import score
from pizhu.eval.predictions import Gold, Predictions
from pizhu.eval.sections import section
from pizhu.eval.slices import slices

NAMES = ("achievement", "shortcoming", "plan", "metric")


def answers_of(gold: Gold, wrong: float) -> Predictions:
    rng = np.random.default_rng(3)
    given = tuple(t ^ (rng.random(t.shape) < wrong) for t in gold.truth)
    return Predictions(given, None, tuple(np.zeros(len(t), dtype=bool) for t in gold.truth))


@pytest.fixture(scope="module")
def gold() -> Gold:
    return Gold.of([c.report for c in load_corpus(split="test")[:5]], NAMES)


def test_every_sentence_is_in_one_group_of_each_kind(gold: Gold) -> None:
    facts = {c.report.doc: {"kind": c.kind, "level": c.level} for c in load_corpus(split="test")}
    answers = answers_of(gold, 0.1)
    found = slices(gold, answers, facts, draws=10)
    assert list(found) == ["kind", "level", "section", "length", "position", "report"]
    total = score(gold.truth, answers.given, NAMES, draws=10)
    for groups in found.values():
        assert sum(s.sentences for s in groups.values()) == total.sentences
        right = sum(s.exact_match.value * s.sentences for s in groups.values())
        assert right == pytest.approx(total.exact_match.value * total.sentences)
    assert set(found["report"]) == {r.doc for r in gold.reports}
    assert {"review", "problems"} <= set(found["section"])
    quarters = [s.sentences for s in found["position"].values()]
    assert max(quarters) - min(quarters) <= len(gold.reports)


def test_without_facts_there_is_no_kind_and_no_level(gold: Gold) -> None:
    assert list(slices(gold, answers_of(gold, 0), {}, draws=5)) == ["section", "length", "position", "report"]


def test_only_labels_that_occur_count() -> None:
    text = "新建学校三所。今天是个好日子。"
    report = Report.build("a.txt", text, [Span(0, 7, "sentence"), Span(7, 15, "sentence")])
    gold = Gold.of([report.with_labels([("achievement",), ()])], NAMES)
    found = slices(gold, answers_of(gold, 0), {}, draws=5)
    assert found["report"]["a.txt"].macro_f1.value == 1
    assert list(found["report"]["a.txt"].labels) == ["achievement"]
    nothing = found["position"]["third quarter"]  # the second of two sentences, which has no label
    assert (nothing.macro_f1.value, nothing.labels, nothing.exact_match.value) == (1, {}, 1)


@pytest.mark.parametrize(
    ("headings", "title", "role"),
    [
        (["一、2021年工作回顾", "（一）推进改革"], "", "review"),
        (["二、存在的问题"], "", "problems"),
        (["三、2022年工作打算", "（二）对照问题抓整改"], "", "plan"),
        (["第二部分 整改工作开展情况", "（二）对照问题抓整改"], "", "review"),
        (["一、2021年工作总结和2022年打算", "（二）存在的不足"], "", "problems"),
        (["（一）推进改革"], "砚河市2022年工作要点", "plan"),
        ([], "砚河市2021年工作总结", "review"),
        ([], "", "other"),
    ],
)
def test_the_part_of_a_report(headings: list[str], title: str, role: str) -> None:
    assert section(headings, title) == role
