"""Baselines learn what they can, and need no more than they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pizhu.base.errors import DataError
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report
from pizhu.eval.frozen import encoder_vectors
from pizhu.eval.metrics import score
from pizhu.eval.predictions import Gold, collect
from pizhu.eval.rules import KeywordRules
from pizhu.models.baseline import FrozenBaseline, TfidfBaseline
from pizhu.models.windows import ContextFormat

NAMES = DEFAULT_LABELS.names


@pytest.fixture(scope="module")
def some() -> list[Report]:
    return [c.report for c in load_corpus(split="validation")[:3]]


@pytest.mark.parametrize("context", [True, False])
def test_tfidf_learns(some: list[Report], context: bool) -> None:
    baseline = TfidfBaseline(NAMES, context=context).fit(some)
    gold = Gold.of(some, NAMES)
    found = score(gold.truth, collect(gold, map(baseline.annotate, gold.questions())).given, NAMES, draws=5)
    assert found.macro_f1.value > 0.95
    annotated = baseline.annotate(some[0])
    assert all((s.scores is None) == (s.kind != "sentence") for s in annotated.sentences)
    assert all(s.labels == tuple(n for n in NAMES if (s.scores or {}).get(n, 0) >= 0.5) for s in annotated.sentences)
    blank = some[0].with_labels([None for _ in some[0].sentences])
    assert baseline.annotate(blank) == annotated


def test_a_label_that_nobody_has_is_never_given(some: list[Report]) -> None:
    baseline = TfidfBaseline((*NAMES, "risk")).fit(some)
    assert {s.scores["risk"] for s in baseline.annotate(some[0]).sentences if s.scores} == {0.0}


def test_too_little_text() -> None:
    from pizhu.data.report import Span

    report = Report.build("a.txt", "好。", [Span(0, 2, "sentence")]).with_labels([()])
    with pytest.raises(DataError, match="too little text for the TF-IDF baseline"):
        TfidfBaseline(NAMES).fit([report])


def test_a_frozen_encoder_tells_something(some: list[Report], encoder_folder: Path) -> None:
    """Even untrained, vectors of the tiny encoder separate more than a coin does."""
    context = ContextFormat(tokens=96, prefix=16, unit=48)
    vectors = encoder_vectors(str(encoder_folder), context)
    found = vectors(some[0])
    assert found.shape == (len(some[0].sentences), 32)
    assert all((row == 0).all() == (s.kind == "furniture") for row, s in zip(found, some[0].sentences, strict=True))
    assert vectors(some[0]) is found  # kept
    annotated = FrozenBaseline(NAMES, vectors).fit(some).annotate(some[0])
    probabilities = np.array([[s.scores[n] for n in NAMES] for s in annotated.sentences if s.scores])
    truth = np.array([[n in (s.labels or ()) for n in NAMES] for s in some[0].sentences if s.kind == "sentence"])
    assert probabilities[truth].mean() > probabilities[~truth].mean() + 0.02


def test_keyword_rules(labelled: Report) -> None:
    given = {s.text: s.labels for s in KeywordRules().annotate(labelled).sentences if s.kind == "sentence"}
    assert given["现将有关情况报告如下。"] == ()
    assert given["库房改造如期完成，查档大厅重新开放。"] == ("achievement",)
    assert given["接待查档群众4260人次，满意率99.6%。"] == ("achievement", "metric")
    assert given["馆藏数字化进度偏慢，基础工作还不牢。"] == ("shortcoming",)
    assert given["力争数字化率达到80%以上。"] == ("plan", "metric")
    assert all(s.scores is None for s in KeywordRules().annotate(labelled).sentences)


def test_dates_and_names_are_no_metrics() -> None:
    from pizhu.data.report import Span

    def labels(text: str) -> tuple[str, ...]:
        report = Report.build("a.txt", text, [Span(0, len(text), "sentence")])
        return KeywordRules().annotate(report).sentences[0].labels or ()

    for text in ("2022年3月5日召开会议。", "一是加强领导。", "做到“两个维护”。", "学习党的二十大精神。"):
        assert "metric" not in labels(text), text
    for text in ("建成学校4所。", "同比增长5%。", "完成投资近二十亿元。", "位居全省第三名。", "压缩至2.46天。"):
        assert "metric" in labels(text), text


def test_rules_beat_guessing_on_the_corpus() -> None:
    gold = Gold.of([c.report for c in load_corpus(split="test")], NAMES)
    found = score(gold.truth, collect(gold, map(KeywordRules().annotate, gold.questions())).given, NAMES, draws=5)
    assert found.macro_f1.value > 0.7
