"""Paired tests over whole reports: is one system better than another, or was it chance?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.bootstrap import Bootstrap, interval
from ..base.interval import Interval
from ..base.scores import Bools, counts_of, f1

Counts = NDArray[np.number]
PERMUTATIONS = 9999


@dataclass(frozen=True)
class Difference(Interval):
    """A figure of one system minus that of another, -1 to 1, above 0 if the first is better.

    The interval draws the same reports for both systems.

    Attributes:
        p: two-sided p-value of a paired permutation test that swaps the systems' answers report by report; exact for
            at most 13 reports, None if scipy is missing. Not corrected for multiple comparisons.
    """

    p: float | None


@dataclass(frozen=True)
class Comparison:
    """How far one system is ahead of another in each figure."""

    macro_f1: Difference
    exact_match: Difference
    labels: dict[str, Difference]


def compare(
    truth: Sequence[Bools],
    one: Sequence[Bools],
    other: Sequence[Bools],
    names: Sequence[str],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare the predictions of systems ``one`` and ``other``, one (sentences, labels) array per report."""
    # (2, reports, 5, labels): true and false positives, false negatives; then whole sets right, and sentences.
    both = np.stack([[_row(t, g) for t, g in zip(truth, given, strict=True)] for given in (one, other)])
    reports = both.shape[1]
    bootstrap = Bootstrap(reports, draws, seed)

    def difference(figure: Callable[[Counts], NDArray[np.floating]]) -> Difference:
        ahead = figure(both[0].sum(axis=0)) - figure(both[1].sum(axis=0))
        found = interval(float(ahead), figure(bootstrap.sums(both[0])) - figure(bootstrap.sums(both[1])))
        return Difference(found.value, found.low, found.high, _p_value(both, figure, seed))

    def of_label(number: int) -> Callable[[Counts], NDArray[np.floating]]:
        return lambda counts: f1(counts[..., :3, :])[..., number]

    return Comparison(
        difference(lambda counts: f1(counts[..., :3, :]).mean(axis=-1)),
        difference(lambda counts: counts[..., 3, 0] / np.maximum(1, counts[..., 4, 0])),
        {name: difference(of_label(number)) for number, name in enumerate(names)},
    )


def _row(truth: Bools, given: Bools) -> Counts:
    right = np.array([(truth == given).all(axis=1).sum(), len(truth)])
    return np.concatenate([counts_of(truth, given), np.repeat(right[:, None], truth.shape[1], axis=1)])


def _p_value(both: Counts, figure: Callable[[Counts], NDArray[np.floating]], seed: int) -> float | None:
    try:
        from scipy.stats import permutation_test  # type: ignore[import-untyped]
    except ImportError:
        return None
    reports = both.shape[1]
    if reports < 2 or (both[0] == both[1]).all():  # nothing to swap, or nothing differs
        return 1.0
    rows = both.reshape(2 * reports, *both.shape[2:])

    # scipy swaps numbers along one axis; here these are row numbers.
    def ahead(ours: Counts, theirs: Counts, axis: int) -> NDArray[np.floating]:
        ours, theirs = np.moveaxis(ours, axis, -1).astype(int), np.moveaxis(theirs, axis, -1).astype(int)
        return figure(rows[ours].sum(axis=-3)) - figure(rows[theirs].sum(axis=-3))

    found = permutation_test(
        (np.arange(reports), np.arange(reports, 2 * reports)),
        ahead,
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)
