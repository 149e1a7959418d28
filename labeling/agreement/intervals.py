"""Figures with bootstrap intervals over reports: sentences of one report are not independent, so reports are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Statistic = Callable[[Floats], Floats]
"""From (…, *shape) sums over reports to (…) figures; NaN where the figure is not defined."""

DRAWS = 1000
SEED = 0


@dataclass(frozen=True)
class Figure:
    """A figure that may be undefined, and its 95% percentile interval.

    Attributes:
        value: None where it is not defined (nothing to divide by, no variation).
        low, high: None where the value is, where fewer than two reports say anything, and where the figure is not
            defined in half of the draws.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def certain(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


class Bootstrap:
    """Draws of whole reports, the same for every figure.

    Args:
        reports: how many there are.
        draws: how often as many are drawn with replacement.
        seed: of the draws.
    """

    def __init__(self, reports: int, draws: int = DRAWS, seed: int = SEED) -> None:
        self.draws, self.seed = draws, seed
        # (draws, reports): how often each report was drawn.
        self._weights = self._draw(reports, seed)

    def figure(self, counts: Floats, statistic: Statistic, value: float | None = None) -> Figure:
        """A statistic of sums.

        Args:
            counts: (reports, *shape) what each report adds.
            statistic: of the sums.
            value: the figure where a library computed it; None takes the statistic's.
        """
        if value is None:
            value = _defined(statistic(counts.sum(axis=0)))
        if value is None or _telling(counts) < 2:
            return Figure(value)
        return Figure(value, *_percentiles(statistic(np.tensordot(self._weights, counts, 1))))

    def share(self, hits: Floats, of: Floats) -> Figure:
        """``hits`` over ``of``, both (reports,)."""
        return self.figure(np.stack([hits, of], axis=-1), ratio)

    def change(self, first: Floats, last: Floats) -> Figure:
        """How far the ratio of the ``last`` (reports, 2) is above that of the ``first``; each draws its own reports."""
        before, after = _defined(ratio(first.sum(axis=0))), _defined(ratio(last.sum(axis=0)))
        if before is None or after is None:
            return Figure(None)
        drawn = []
        for offset, counts in enumerate((first, last)):
            counts = counts[counts[:, 1] > 0]
            if len(counts) < 2:
                return Figure(after - before)
            drawn.append(ratio(np.tensordot(self._draw(len(counts), self.seed + 1 + offset), counts, 1)))
        return Figure(after - before, *_percentiles(drawn[1] - drawn[0]))

    def _draw(self, reports: int, seed: int) -> Floats:
        rng = np.random.default_rng(seed)
        return rng.multinomial(reports, [1 / reports] * reports, self.draws).astype(np.float64)


def ratio(counts: Floats) -> Floats:
    """(…) the first over the second of (…, 2)."""
    return divide(counts[..., 0], counts[..., 1])


def divide(one: Floats, other: Floats) -> Floats:
    """``one / other``, NaN where ``other`` is 0."""
    out = np.full(np.broadcast(one, other).shape, np.nan)
    result: Floats = np.divide(one, other, out=out, where=np.abs(other) > 1e-12)
    return result


def mean_defined(values: Floats) -> Floats:
    """Means over the last axis of what is defined."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))


def by_report(values: Floats, report: NDArray[np.int64], reports: int) -> Floats:
    """(reports, …) sums of (sentences, …)."""
    sums = np.zeros((reports, *values.shape[1:]))
    np.add.at(sums, report, values)
    return sums


def _defined(value: Floats) -> float | None:
    return None if np.isnan(value) else float(value)


def _telling(counts: Floats) -> int:
    return int(counts.reshape(len(counts), -1).any(axis=1).sum())


def _percentiles(drawn: Floats) -> tuple[float, float] | tuple[None, None]:
    known = drawn[~np.isnan(drawn)]
    if 2 * len(known) < len(drawn):
        return None, None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
