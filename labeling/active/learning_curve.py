"""A hint on when to stop: how much more labels would improve the light learner, from its learning curve so far."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.progress import Progress, silent
from ...base.scores import macro_f1
from .learner import learn
from .pool import Floats, Pool

MORE = 500
SHARES = (0.15, 0.25, 0.4, 0.6, 0.8, 1.0)
DIVISIONS = 10
MIN_REPORTS = 8
MIN_SENTENCES = 300


@dataclass(frozen=True)
class ExpectedGain:
    """The expected gain from more labels.

    Attributes:
        labelled: how many sentences are labelled so far.
        reports: how many reports they are from.
        more: the number of further labels that ``gain`` is for.
        macro_f1: the light learner's macro-F1 with all labels so far, 0 to 1, from the fitted curve; None if too few
            reports are labelled.
        gain: the expected increase of it from ``more`` labels.
        low, high: the gain's 10 % and 90 % quantiles over divisions of the reports.
        curve: the (labels, macro-F1) means over divisions that the curve was fitted to.
    """

    labelled: int
    reports: int
    more: int = MORE
    macro_f1: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    curve: tuple[tuple[int, float], ...] = ()

    def __str__(self) -> str:
        if self.gain is None or self.macro_f1 is None or self.low is None or self.high is None:
            return (
                f"{self.labelled} labelled sentences of {self.reports} reports are not enough to estimate the gain "
                f"from {self.more} more; at least {MIN_SENTENCES} of {MIN_REPORTS} reports are needed"
            )
        return (
            f"{self.more} more labels are expected to add {100 * self.gain:.1f} points of macro-F1 (80 % of trials "
            f"say {100 * self.low:.1f} to {100 * self.high:.1f}) to the light learner's {100 * self.macro_f1:.1f}"
        )


def expected_gain(
    pool: Pool, table: Any, *, more: int = MORE, seed: int = 1, progress: Progress = silent
) -> ExpectedGain:
    """Fit an inverse power law to learning curves of the light learner.

    Each of several divisions holds out a quarter of the labelled reports and trains the learner on growing shares of
    the others. ``1 - macro-F1`` is assumed to fall as ``a + b * labels ** -c`` (Hestness et al. 2017); the quantiles
    come from the curves of single divisions. Macro-F1 is over the labels that people have used.

    Args:
        pool: a pool with labelled sentences.
        table: its :meth:`.learner.Features.table`.
        more: the number of further labels to estimate the gain for.
        seed: the seed of the divisions.
        progress: reports how many learners were trained.
    """
    labelled = np.flatnonzero(pool.known)
    reports = np.unique(pool.reports[labelled])
    used = pool.truth[labelled].any(axis=0)
    if len(reports) < MIN_REPORTS or len(labelled) < MIN_SENTENCES or not used.any():
        return ExpectedGain(len(labelled), len(reports), more)
    rng = np.random.default_rng(seed)
    counts, scores = np.zeros((2, DIVISIONS, len(SHARES)))
    for division in range(DIVISIONS):
        order = rng.permutation(reports)
        held, rest = np.split(order, [max(2, len(order) // 4)])
        test = labelled[np.isin(pool.reports[labelled], held)]
        for place, share in enumerate(SHARES):
            progress("Fitting the learning curve", division * len(SHARES) + place, DIVISIONS * len(SHARES))
            train = labelled[np.isin(pool.reports[labelled], rest[: max(1, round(share * len(rest)))])]
            given = learn(table[train], pool.truth[train]).probabilities(table[test]) >= 0.5
            counts[division, place] = len(train)
            scores[division, place] = macro_f1(pool.truth[test][:, used], given[:, used])
    progress("Fitting the learning curve", DIVISIONS * len(SHARES), DIVISIONS * len(SHARES))
    now = len(labelled)
    means = counts.mean(axis=0), scores.mean(axis=0)
    level, gain = _growth(*means, now, more)
    spread = [_growth(*curve, now, more)[1] for curve in zip(counts, scores, strict=True)]
    low, high = np.quantile(spread, (0.1, 0.9))
    curve = tuple((round(n), float(score)) for n, score in zip(*means, strict=True))
    return ExpectedGain(now, len(reports), more, level, gain, float(min(low, gain)), float(max(high, gain)), curve)


def _growth(counts: Floats, scores: Floats, now: int, more: int) -> tuple[float, float]:
    """Macro-F1 at ``now`` labels, and the gain from ``more``, on the curve fitted to (counts, scores)."""
    from scipy.optimize import OptimizeWarning, curve_fit

    def error(labels: Floats, floor: float, scale: float, power: float) -> Floats:
        result: Floats = floor + scale * (labels / now) ** -power
        return result

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", OptimizeWarning
        )  # a flat curve does not determine the power, which does not matter
        found: Sequence[float] = curve_fit(
            error, counts, 1 - scores, p0=(0.05, 0.2, 0.5), bounds=((0, 0, 0.05), (1, 1, 2)), max_nfev=10_000
        )[0]
    before, after = error(np.array([now, now + more], dtype=np.float64), *found)
    return float(1 - before), float(before - after)
