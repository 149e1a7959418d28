"""From logits to labels: calibration and thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pizhu.base.scores import macro_f1
from pizhu.models.decision import Decision

LOGITS = hnp.arrays(np.float32, st.tuples(st.integers(1, 40), st.just(3)), elements=st.floats(-50, 50, width=32))


@given(LOGITS, st.integers(0, 2**31))
def test_fitting_holds_its_bounds(logits: np.ndarray, seed: int) -> None:
    truth = np.random.default_rng(seed).random(logits.shape) < 0.4
    decision = Decision.fit(logits, truth)
    assert all(0.25 <= t <= 4 for t in decision.temperatures)
    assert all(0.25 <= t <= 0.75 for t in decision.thresholds)
    probabilities = decision.probabilities(logits)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    fitted = macro_f1(truth, decision.choose(probabilities))
    halves = Decision(decision.temperatures, (0.5,) * 3)
    assert fitted >= macro_f1(truth, halves.choose(halves.probabilities(logits))) - 1e-12


def test_calibration_cools_what_is_too_sure() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (4000, 1))
    truth = rng.random((4000, 1)) < 1 / (1 + np.exp(-honest))
    assert Decision.fit(honest * 2, truth).temperatures[0] == pytest.approx(2, rel=0.1)
    assert Decision.fit(honest, truth).temperatures[0] == pytest.approx(1, rel=0.1)


def test_a_label_that_never_or_always_occurs() -> None:
    logits = np.zeros((5, 2), dtype=np.float32)
    truth = np.array([[True, False]] * 5)
    decision = Decision.fit(logits, truth)
    assert decision.temperatures == (1.0, 1.0)
    assert decision.thresholds == (0.5, 0.5)


def test_among_equal_scores_the_threshold_stays_at_one_half() -> None:
    logits = np.array([[5.0], [-5.0]])
    assert Decision.fit(logits, np.array([[True], [False]])).thresholds == (0.5,)


def test_extreme_logits_do_not_overflow() -> None:
    found = Decision.plain(2).probabilities(np.array([[1e30, -1e30]], dtype=np.float32))
    assert found.tolist() == [[pytest.approx(1), pytest.approx(0)]]


def test_a_probability_that_reaches_the_threshold_counts() -> None:
    assert Decision((1.0,), (0.5,)).choose(np.array([[0.5], [0.49]])).tolist() == [[True], [False]]


def test_macro_f1_by_hand() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 0]], dtype=bool)
    given_ = np.array([[1, 0], [0, 0], [1, 0]], dtype=bool)
    assert macro_f1(truth, given_) == pytest.approx((2 * 1 / 4 + 0) / 2)
