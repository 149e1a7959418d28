"""Probabilities against true frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.eval.calibration import reliability


def test_by_hand() -> None:
    """Two answers of 0.9, one true; two of 0.1, none true: gaps of 0.4 and 0.1, half of the answers each."""
    probabilities = np.array([[0.9], [0.9], [0.1], [0.1]])
    found = reliability([np.array([[True], [False], [False], [False]])], [probabilities], ["a"])["a"]
    assert found.error.value == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)
    filled = {b.low: (b.count, b.probability, b.frequency) for b in found.bins if b.count}
    assert filled == {0.1: (2, pytest.approx(0.1), 0), 0.9: (2, pytest.approx(0.9), 0.5)}
    assert [b.probability for b in found.bins if not b.count] == [None] * 8


def test_certain_and_right_is_perfect() -> None:
    truth = np.random.default_rng(0).random((50, 3)) < 0.5
    found = reliability([truth], [truth.astype(float)], ["a", "b", "c"])
    assert all(f.error.value == 0 for f in found.values())
    assert all(f.bins[-1].count == truth[:, i].sum() for i, f in enumerate(found.values()))  # 1.0 is in the last bin


def test_certain_and_wrong_is_the_worst() -> None:
    truth = np.random.default_rng(0).random((50, 1)) < 0.5
    assert reliability([truth], [(~truth).astype(float)], ["a"])["a"].error.value == 1


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_against_the_definition(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    probabilities = [rng.random((n, 2)).round(2) for n in sizes]
    truth = [rng.random(c.shape) < c for c in probabilities]
    found = reliability(truth, probabilities, ["a", "b"], draws=20)
    p, t = np.concatenate(probabilities), np.concatenate(truth)
    for i, name in enumerate("ab"):
        assert sum(b.count for b in found[name].bins) == len(p)
        want = 0.0
        for b in found[name].bins:
            inside = (p[:, i] >= b.low) & ((p[:, i] < b.high) | (b.high == 1.0))
            assert abs(inside.sum() - b.count) <= ((p[:, i] * 10) % 1 == 0).sum()  # a value on an edge may round over
            if b.probability is not None and b.frequency is not None:
                assert 0 <= b.frequency <= 1 and b.low - 1e-9 <= b.probability <= b.high + 1e-9
                want += b.count / len(p) * abs(b.probability - b.frequency)
        assert found[name].error.value == pytest.approx(want)
        assert 0 <= found[name].error.low <= found[name].error.high <= 1
        assert t.shape == p.shape
