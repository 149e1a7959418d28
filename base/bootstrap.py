"""Bootstrap intervals that resample whole reports, because the sentences of a report are not independent.

Percentile intervals (Efron and Tibshirani 1993, chapter 13). Counts are summed by report first, so that a thousand
draws cost little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .interval import Figure, Interval
from .scores import divide

T = TypeVar("T", bound=np.number[Any])
Floats = NDArray[np.floating]
Statistic = Callable[[Floats], Floats]
"""Computes (…) figures from (…, *shape) sums over reports; NaN where a figure is not defined."""

DRAWS = 1000
SEED = 0
_AT_ONCE = 100


class Bootstrap:
    """Resamples whole reports, with the same draws for every figure.

    Args:
        reports: how many reports there are.
        draws: how many resamples to draw; each holds ``reports`` reports, drawn with replacement.
        seed: the seed of the draws.
    """

    def __init__(self, reports: int, draws: int = DRAWS, seed: int = SEED) -> None:
        self.draws, self.seed = draws, seed
        self._picks = self._draw(reports, seed)

    def sums(self, counts: NDArray[T]) -> NDArray[T]:
        """(draws, *shape) sums over the drawn reports of (reports, *shape) counts."""
        return _sums(counts, self._picks)

    def figure(self, counts: Floats, statistic: Statistic, value: float | None = None) -> Figure:
        """A statistic of the sums over all reports, with its interval.

        Args:
            counts: (reports, *shape) the contribution of each report.
            statistic: computes the figure from sums.
            value: the figure, if a library has computed it; None computes it with ``statistic``.
        """
        if value is None:
            value = _defined(statistic(counts.sum(axis=0)))
        if value is None or _reports_with_counts(counts) < 2:
            return Figure(value)
        return Figure(value, *_bounds(statistic(self.sums(counts))))

    def share(self, hits: Floats, of: Floats) -> Figure:
        """The sum of ``hits`` divided by the sum of ``of``, both (reports,)."""
        return self.figure(np.stack([hits, of], axis=-1), ratio)

    def change(self, first: Floats, last: Floats) -> Figure:
        """The ratio of ``last`` (reports, 2) minus the ratio of ``first``; each resamples its own reports."""
        before, after = _defined(ratio(first.sum(axis=0))), _defined(ratio(last.sum(axis=0)))
        if before is None or after is None:
            return Figure(None)
        drawn = []
        for offset, counts in enumerate((first, last)):
            counts = counts[counts[:, 1] > 0]
            if len(counts) < 2:
                return Figure(after - before)
            drawn.append(ratio(_sums(counts, self._draw(len(counts), self.seed + 1 + offset))))
        return Figure(after - before, *_bounds(drawn[1] - drawn[0]))

    def _draw(self, reports: int, seed: int) -> NDArray[np.integer]:
        """(draws, reports): which reports each draw takes."""
        return np.random.default_rng(seed).integers(0, reports, (self.draws, reports))


def interval(value: float, drawn: Floats) -> Interval:
    """A figure with the middle 95% of its values over the draws."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(value), float(low), float(high))


def ratio(counts: Floats) -> Floats:
    """(…) the first element of (…, 2) divided by the second."""
    return divide(counts[..., 0], counts[..., 1])


def mean_defined(values: Floats) -> Floats:
    """Means over the last axis of the values that are defined."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))


def by_report(values: Floats, report: NDArray[np.int64], reports: int) -> Floats:
    """(reports, …) sums of (sentences, …)."""
    sums = np.zeros((reports, *values.shape[1:]))
    np.add.at(sums, report, values)
    return sums


def _sums(counts: NDArray[T], picks: NDArray[np.integer]) -> NDArray[T]:
    parts = [counts[picks[i : i + _AT_ONCE]].sum(axis=1) for i in range(0, len(picks), _AT_ONCE)]
    return np.concatenate(parts)


def _defined(value: Floats) -> float | None:
    return None if np.isnan(value) else float(value)


def _reports_with_counts(counts: Floats) -> int:
    return int(counts.reshape(len(counts), -1).any(axis=1).sum())


def _bounds(drawn: Floats) -> tuple[float, float] | tuple[None, None]:
    known = drawn[~np.isnan(drawn)]
    if 2 * len(known) < len(drawn):
        return None, None
    found = interval(0, known)
    return found.low, found.high
