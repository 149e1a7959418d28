"""Calibration: of a hundred answers with a probability of 90%, ninety should be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.bootstrap import Bootstrap, interval
from ..base.interval import Interval
from ..base.scores import Bools, Floats


@dataclass(frozen=True)
class Bin:
    """Predictions whose probability lies in ``low`` to ``high`` (half open, the last one closed).

    Attributes:
        count: the number of predictions.
        probability: their mean probability; ``frequency`` is the share of them that truly have the label. None if there
            are no predictions.
    """

    low: float
    high: float
    count: int
    probability: float | None
    frequency: float | None


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram and its expected calibration error: the gap between probability and frequency in a bin,
    weighted by the bin's answers (Naeini et al. 2015, for each label by itself). With few answers it is overestimated.
    """

    bins: tuple[Bin, ...]
    error: Interval


def reliability(
    truth: Sequence[Bools],
    probabilities: Sequence[Floats],
    names: Sequence[str],
    *,
    bins: int = 10,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Reliability]:
    """Each label's reliability, from one (sentences, labels) array per report; intervals resample reports."""
    sums = np.stack(
        [_sums(t, c, bins) for t, c in zip(truth, probabilities, strict=True)]
    )  # (reports, 3, labels, bins)
    total, drawn = sums.sum(axis=0), _errors(Bootstrap(len(sums), draws, seed).sums(sums))
    errors = _errors(total)
    result = {}
    for i, name in enumerate(names):
        rows = []
        for b in range(bins):
            count, probability, true = (float(x) for x in total[:, i, b])
            means = (probability / count, true / count) if count else (None, None)
            rows.append(Bin(b / bins, (b + 1) / bins, int(count), *means))
        result[name] = Reliability(tuple(rows), interval(float(errors[i]), drawn[:, i]))
    return result


def _sums(truth: Bools, probabilities: Floats, bins: int) -> NDArray[np.floating]:
    """(3, labels, bins): the number of answers, the sum of their probabilities, the number of true ones."""
    where = np.minimum((probabilities * bins).astype(int), bins - 1)
    inside = where[:, :, None] == np.arange(bins)
    parts = [inside, inside * probabilities[:, :, None], inside & truth[:, :, None]]
    return np.stack([part.sum(axis=0, dtype=float) for part in parts])


def _errors(sums: NDArray[np.number]) -> NDArray[np.floating]:
    """(…, labels) calibration errors of (…, 3, labels, bins) sums."""
    count, probability, true = np.moveaxis(sums, -3, 0)
    result: NDArray[np.floating] = np.abs(probability - true).sum(axis=-1) / np.maximum(1, count.sum(axis=-1))
    return result
