"""Which label was given when another was true."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pizhu.eval.confusion import confusion

NAMES = ("a", "b")


def cells(true: list[str], got: list[str]) -> dict[tuple[str, str], int]:
    """The cells that one sentence fills."""
    truth, answer = (np.array([[name in names for name in NAMES]]) for names in (true, got))
    found = confusion(truth, answer, NAMES)
    rows, columns = (*NAMES, "none missed"), (*NAMES, "none given")
    return {(rows[i], columns[j]): n for i, row in enumerate(found.matrix) for j, n in enumerate(row) if n}


def test_one_sentence_at_a_time() -> None:
    assert cells(["a"], ["a"]) == {("a", "a"): 1}
    assert cells(["a"], ["b"]) == {("a", "b"): 1}
    assert cells(["a"], []) == {("a", "none given"): 1}
    assert cells([], ["b"]) == {("none missed", "b"): 1}
    assert cells(["a"], ["a", "b"]) == {("a", "a"): 1, ("none missed", "b"): 1}
    assert cells(["a", "b"], ["b"]) == {("b", "b"): 1, ("a", "none given"): 1}
    assert cells([], []) == {("none missed", "none given"): 1}


def test_the_commonest_wrong_sets_come_first() -> None:
    truth = np.array([[True, False]] * 5 + [[False, False]])
    answers = np.array([[False, True]] * 2 + [[False, False]] + [[True, False]] * 2 + [[True, True]])
    found = confusion(truth, answers, NAMES)
    assert found.sets == ((("a",), ("b",), 2), (("a",), (), 1), ((), ("a", "b"), 1))


@given(st.integers(0, 2**31), st.integers(1, 30))
def test_nothing_is_lost(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    truth, answers = rng.random((size, 2)) < 0.5, rng.random((size, 2)) < 0.5
    found = confusion(truth, answers, NAMES)
    matrix = np.array(found.matrix)
    assert matrix.diagonal()[:2].tolist() == (truth & answers).sum(axis=0).tolist()
    assert matrix[2, 2] == (~truth & ~answers).all(axis=1).sum()
    assert sum(n for *_, n in found.sets) == (truth != answers).any(axis=1).sum()
    assert (matrix[:2].sum(axis=1) >= truth.sum(axis=0)).all()
    assert (matrix[:, :2].sum(axis=0) >= answers.sum(axis=0)).all()
