"""Learning curves: sizes that double, subsets that nest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from pizhu.data.report import Report
from pizhu.eval.learning import learning_curve, sizes
from pizhu.eval.predictions import Gold


@given(st.integers(1, 10_000), st.integers(1, 8))
def test_sizes(total: int, points: int) -> None:
    found = sizes(total, points)
    assert found[-1] == total and len(found) <= points and found[0] >= 1
    assert list(found) == sorted(set(found))


def test_sizes_of_the_corpus() -> None:
    assert sizes(60) == (4, 8, 15, 30, 60)
    assert sizes(0) == ()


def test_subsets_nest_and_all_is_trained_once(labelled: Report) -> None:
    training = [replace(labelled, doc=f"{i}.txt") for i in range(8)]
    fitted: list[set[str]] = []

    def fit(reports: Sequence[Report]) -> Callable[[Report], Report]:
        fitted.append({r.doc for r in reports})
        right = len(reports) >= 4
        return lambda report: report.with_labels([s.labels if right else () for s in labelled.sentences])

    told: list[int] = []
    gold = Gold.of([labelled], ("achievement", "shortcoming", "plan", "metric"))
    points = learning_curve(gold, training, {"x": fit}, (2, 4, 8), (1, 2), told.append)
    assert [(p.reports, p.seed, p.macro_f1) for p in points] == [(2, 1, 0), (2, 2, 0), (4, 1, 1), (4, 2, 1), (8, 1, 1)]
    assert fitted[0] < fitted[2] < fitted[4] and fitted[1] < fitted[3]
    assert fitted[0] != fitted[1] and told == [1, 2, 3, 4, 5]
