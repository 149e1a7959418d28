"""Evaluation on reports that the model has not seen, beside the baseline."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pizhu import Annotator
from pizhu.data.corpus import load_corpus
from pizhu.data.errors import DataError
from pizhu.data.files import write_records
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report
from pizhu.eval.baseline import TfidfBaseline
from pizhu.eval.evaluate import evaluate


@pytest.fixture(scope="module")
def annotator(model_folder: Path) -> Annotator:
    return Annotator.load(model_folder, device="cpu")


@pytest.fixture(scope="module")
def other(labelled: Report) -> Report:
    """What the model knows by heart, under a name that it has not seen."""
    return replace(labelled, doc="other.txt")


@pytest.fixture(scope="module")
def some() -> list[Report]:
    return [c.report for c in load_corpus(split="validation")[:3]]


def test_what_is_known_by_heart_is_right(annotator: Annotator, other: Report) -> None:
    told: list[int] = []
    found = evaluate(annotator, [other, other], watch=told.append)
    assert list(found.systems) == ["model"]
    scores = found.systems["model"]
    assert (scores.macro_f1.value, scores.exact_match.value, scores.reports) == (1, 1, 2)
    assert told == [1, 2]
    json.dumps(found.as_dict())


def test_only_labelled_sentences_count(annotator: Annotator, other: Report) -> None:
    half = other.with_labels([s.labels if i % 2 else None for i, s in enumerate(other.sentences)])
    blank = other.with_labels([None for _ in other.sentences])
    found = evaluate(annotator, [half, blank])
    want = sum(s.kind == "sentence" and i % 2 == 1 for i, s in enumerate(other.sentences))
    assert (found.systems["model"].sentences, found.systems["model"].reports) == (want, 1)


def test_what_the_model_was_trained_on_is_refused(annotator: Annotator, labelled: Report, other: Report) -> None:
    with pytest.raises(DataError, match=f"the model was trained on report {labelled.doc}"):
        evaluate(annotator, [other, labelled])


def test_nothing_labelled(annotator: Annotator, other: Report) -> None:
    with pytest.raises(DataError, match="no labelled sentence to evaluate on"):
        evaluate(annotator, [other.with_labels([None for _ in other.sentences])])


def test_labels_of_another_set(annotator: Annotator, other: Report) -> None:
    with pytest.raises(DataError, match="the data have the label 'risk', but the model knows achievement"):
        evaluate(annotator, [other.with_labels([("risk",) for _ in other.sentences])])


def test_the_baseline_learns(some: list[Report]) -> None:
    names = DEFAULT_LABELS.names
    baseline = TfidfBaseline(names).fit(some)
    report = some[0]
    rows = [s for s in report.sentences if s.kind == "sentence"]
    given = baseline.predict(report)
    assert given.shape == (len(rows), 4)
    truth = np.array([[name in (s.labels or ()) for name in names] for s in rows])
    assert (given == truth).mean() > 0.95
    annotated = baseline.annotate(report)
    assert [s.labels for s in annotated.sentences if s.kind == "sentence"] == [
        tuple(n for n, y in zip(names, row, strict=True) if y) for row in given
    ]
    assert all((s.scores is None) == (s.kind != "sentence") for s in annotated.sentences)
    unlabelled = report.with_labels([None for _ in report.sentences])
    assert baseline.predict(unlabelled).shape == (0, 4)
    assert baseline.annotate(unlabelled) == annotated


def test_the_command(model_folder: Path, other: Report, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    data = tmp_path / "标注.jsonl"
    write_records(data, other.records())
    answer = pizhu("evaluate", model_folder, data, "--out", tmp_path / "评测", "--json", "--no-baseline")
    assert answer.status == 0
    body = json.loads(answer.out)
    assert list(body["systems"]) == ["model"]
    assert body["systems"]["model"]["macro_f1"]["value"] == 1
    assert json.loads((tmp_path / "评测" / "evaluation.json").read_text(encoding="utf-8")) == body
    table = pizhu("evaluate", model_folder, data, "--no-baseline").out
    assert "1.000 [1.000 1.000]" in table
    write_records(data, [{**record, "labels": ["plans"]} for record in other.records()])
    answer = pizhu("evaluate", model_folder, data)
    assert (answer.status, answer.out) == (2, "") and "unknown label 'plans'" in answer.err


@pytest.mark.slow
def test_beside_the_baseline_on_the_shipped_corpus(model_folder: Path, pizhu: Callable[..., Any]) -> None:
    """The baseline, trained on the corpus, beats a model that knows one report by heart."""
    answer = pizhu("evaluate", model_folder, "--json")
    assert answer.status == 0
    systems = json.loads(answer.out)["systems"]
    model, baseline = systems["model"], systems["tf-idf + logistic regression"]
    assert model["sentences"] == baseline["sentences"] > 500
    assert baseline["macro_f1"]["value"] > max(0.6, model["macro_f1"]["value"])
