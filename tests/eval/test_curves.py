"""Precision-recall curves as in scikit-learn, and what remains after review."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.eval.curves import occurring_f1, precision_recall, review_curve


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(2, 60), st.sampled_from([1, 2, 8]))
def test_agrees_with_scikit_learn(seed: int, size: int, digits: int) -> None:
    """One digit makes many ties."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    rng = np.random.default_rng(seed)
    truth, probabilities = rng.random(size) < 0.4, rng.random(size).round(digits)
    truth[0] = True
    found = precision_recall(truth, probabilities)
    assert found is not None
    precision, recall, _ = precision_recall_curve(truth, probabilities)
    assert found.precision == pytest.approx(precision[-2::-1])
    assert found.recall == pytest.approx(recall[-2::-1])
    assert found.average == pytest.approx(average_precision_score(truth, probabilities))


def test_a_label_that_never_occurs_has_no_curve() -> None:
    assert precision_recall(np.zeros(3, dtype=bool), np.ones(3)) is None


def test_doubt_that_knows_its_errors() -> None:
    """Two of ten sentences are wrong, and the model doubts just these."""
    truth = np.tile([[True, False]], (10, 1))
    given = truth.copy()
    given[:2] = ~given[:2]
    confidence = np.linspace(0, 1, 10)
    points = {p.share: p for p in review_curve(truth, given, confidence)}
    assert points[0.0].rest == points[0.0].corrected < points[0.1].rest < points[0.2].rest == 1
    assert points[0.2].corrected == points[0.5].rest == 1


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 40))
def test_correcting_never_harms(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random((size, 3)) < 0.4
    given = truth ^ (rng.random(truth.shape) < 0.2)
    points = review_curve(truth, given, rng.random(size))
    assert len(points) == 51
    assert all(0 <= p.rest <= 1 for p in points)
    exact = [p.corrected for p in points]
    occurs = truth.any(axis=0)
    if occurs.all():  # a label that was only ever given wrongly leaves macro-F1 when its last error is mended
        assert all(b >= a - 1e-12 for a, b in pairwise(exact))


def test_macro_f1_of_what_occurs() -> None:
    truth = np.array([[True, False, False]])
    assert occurring_f1(truth, truth) == 1
    assert occurring_f1(truth, np.array([[True, True, False]])) == 0.5
    assert occurring_f1(truth & False, truth & False) == 1
