"""Paired tests: chance is called chance, and a real lead is called a lead."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.scores import counts_of, f1
from pizhu.eval.significance import compare

NAMES = ("a", "b")
Arrays = list[np.ndarray]


def draw(seed: int, reports: int, wrong: float) -> tuple[Arrays, Arrays]:
    """Truth, and answers of which a share is wrong."""
    rng = np.random.default_rng(seed)
    truth = [rng.random((rng.integers(3, 9), 2)) < 0.5 for _ in range(reports)]
    return truth, [t ^ (rng.random(t.shape) < wrong) for t in truth]


def macro(truth: Arrays, given: Arrays) -> float:
    return float(f1(np.sum([counts_of(t, g) for t, g in zip(truth, given, strict=True)], axis=0)).mean())


def test_the_same_answers_do_not_differ() -> None:
    truth, answers = draw(1, 6, 0.3)
    found = compare(truth, answers, answers, NAMES)
    for difference in (found.macro_f1, found.exact_match, *found.labels.values()):
        assert (difference.value, difference.low, difference.high, difference.p) == (0, 0, 0, 1)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**31))
def test_the_p_value_is_that_of_all_exchanges(seed: int) -> None:
    """For five reports there are 32 ways to exchange the systems' answers: counted here one by one."""
    truth, one = draw(seed, 5, 0.15)
    other = [t ^ (np.random.default_rng(seed + 1).random(t.shape) < 0.4) for t in truth]
    found = compare(truth, one, other, NAMES, draws=20).macro_f1
    ahead = macro(truth, one) - macro(truth, other)
    assert found.value == pytest.approx(ahead)
    leads = []
    for swapped in product((False, True), repeat=5):
        ours = [o if s else a for a, o, s in zip(one, other, swapped, strict=True)]
        theirs = [a if s else o for a, o, s in zip(one, other, swapped, strict=True)]
        leads.append(macro(truth, ours) - macro(truth, theirs))
    tail = min(np.mean([x >= ahead - 1e-12 for x in leads]), np.mean([x <= ahead + 1e-12 for x in leads]))
    assert found.p == pytest.approx(min(1.0, 2 * tail))


def test_who_comes_first_turns_the_sign() -> None:
    truth, one = draw(3, 8, 0.1)
    other = [t ^ (np.random.default_rng(9).random(t.shape) < 0.3) for t in truth]
    there, back = compare(truth, one, other, NAMES), compare(truth, other, one, NAMES)
    assert there.macro_f1.value == pytest.approx(-back.macro_f1.value)
    assert there.macro_f1.p == pytest.approx(back.macro_f1.p or 0)
    assert there.exact_match.low == pytest.approx(-back.exact_match.high)


def test_always_right_against_always_wrong() -> None:
    truth, _ = draw(4, 12, 0)
    found = compare(truth, truth, [~t for t in truth], NAMES)
    assert (found.macro_f1.value, found.exact_match.value) == (1, 1)
    assert found.macro_f1.p == pytest.approx(2 / 2**12)
    assert found.macro_f1.low == 1


def test_one_report_proves_nothing() -> None:
    truth, _ = draw(5, 1, 0)
    assert compare(truth, truth, [~t for t in truth], NAMES).macro_f1.p == 1


def test_without_scipy_there_is_no_p_value(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    truth, answers = draw(6, 4, 0.2)
    found = compare(truth, truth, answers, NAMES).macro_f1
    assert found.p is None and found.low <= found.value <= found.high
