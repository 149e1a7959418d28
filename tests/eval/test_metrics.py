"""Figures against scikit-learn's, and intervals that resample reports, not sentences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.interval import Interval
from pizhu.eval.metrics import Scores, score

NAMES = ("a", "b", "c")


def draw(seed: int, sizes: list[int]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    truth = [rng.random((n, 3)) < 0.4 for n in sizes]
    return truth, [t ^ (rng.random(t.shape) < 0.2) for t in truth]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_agrees_with_scikit_learn(seed: int, sizes: list[int]) -> None:
    from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

    truth, answers = draw(seed, sizes)
    found = score(truth, answers, NAMES, draws=50)
    one, two = np.concatenate(truth), np.concatenate(answers)
    options = {"average": None, "zero_division": 0}
    for name, precision, recall, f1 in zip(
        NAMES,
        precision_score(one, two, **options),
        recall_score(one, two, **options),
        f1_score(one, two, **options),
        strict=True,
    ):
        label = found.labels[name]
        assert (label.precision.value, label.recall.value) == (pytest.approx(precision), pytest.approx(recall))
        assert label.f1.value == pytest.approx(f1)
        assert label.support == one[:, NAMES.index(name)].sum()
    assert found.macro_f1.value == pytest.approx(f1_score(one, two, average="macro", zero_division=0))
    assert found.exact_match.value == pytest.approx(accuracy_score(one, two))
    assert (found.sentences, found.reports) == (len(one), len(sizes))
    assert all(0 <= i.low <= i.high <= 1 for i in intervals(found))


def intervals(found: Scores) -> list[Interval]:
    return [
        found.macro_f1,
        found.exact_match,
        *(x for s in found.labels.values() for x in (s.precision, s.recall, s.f1)),
    ]


def test_the_same_seed_gives_the_same_interval() -> None:
    truth, answers = draw(1, list(range(5, 25)))
    assert score(truth, answers, NAMES) == score(truth, answers, NAMES)
    assert score(truth, answers, NAMES) != score(truth, answers, NAMES, seed=1)


def test_intervals_are_over_reports() -> None:
    """One report is all right and the other all wrong: many sentences do not make that certain."""
    truth = [np.ones((500, 1), dtype=bool), np.ones((500, 1), dtype=bool)]
    answers = [np.ones((500, 1), dtype=bool), np.zeros((500, 1), dtype=bool)]
    found = score(truth, answers, ("a",)).exact_match
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)


def test_one_report_has_no_spread() -> None:
    truth, answers = draw(2, [40])
    found = score(truth, answers, NAMES).macro_f1
    assert found.low == pytest.approx(found.value) == pytest.approx(found.high)


def test_a_label_that_never_occurs_and_is_never_given() -> None:
    truth = [np.zeros((4, 1), dtype=bool)]
    found = score(truth, truth, ("a",))
    assert (found.labels["a"].f1.value, found.labels["a"].support, found.exact_match.value) == (0, 0, 1)
