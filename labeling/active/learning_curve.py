"""A stopping hint: what more labels are expected to bring, from how the light learner has grown so far."""

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
LEAST_REPORTS = 8
LEAST_SENTENCES = 300


@dataclass(frozen=True)
class ExpectedGain:
    """What more labels are expected to bring.

    Attributes:
        labelled: sentences labelled so far.
        reports: of how many reports.
        more: how many more are asked about.
        macro_f1: the light learner's with all of them, 0 to 1, read off the fitted curve; None where too few reports
            are labelled to say.
        gain: what ``more`` would add to it, expected.
        low, high: the gain's 10 % and 90 % quantiles over divisions of the reports.
        curve: (labels, macro-F1) means over divisions that the curve was fitted to.
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
                f"{self.labelled} labelled sentences of {self.reports} reports are not enough to say what {self.more} "
                f"more would bring; it takes {LEAST_SENTENCES} of {LEAST_REPORTS} reports"
            )
        return (
            f"{self.more} more labels are expected to add {100 * self.gain:.1f} points of macro-F1 (80 % of trials "
            f"say {100 * self.low:.1f} to {100 * self.high:.1f}) to the light learner's {100 * self.macro_f1:.1f}"
        )


def expected_gain(
    pool: Pool, table: Any, *, more: int = MORE, seed: int = 1, progress: Progress = silent
) -> ExpectedGain:
    """Fit an inverse power law to learning curves of the light learner.

    Over several divisions a quarter of the labelled reports is held out, and the learner is trained on growing shares
    of the others. ``1 - macro-F1`` is taken to fall as ``a + b * labels ** -c`` (Hestness et al. 2017); the spread is
    that of the curves of single divisions. Macro-F1 is over the labels that people have used.

    Args:
        pool: with labelled sentences.
        table: their :meth:`.learner.Features.table`.
        more: how many further labels to ask about.
        seed: of the divisions.
        progress: told how many learners are trained.
    """
    labelled = np.flatnonzero(pool.known)
    reports = np.unique(pool.reports[labelled])
    used = pool.truth[labelled].any(axis=0)
    if len(reports) < LEAST_REPORTS or len(labelled) < LEAST_SENTENCES or not used.any():
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
    """Macro-F1 at ``now`` labels, and what ``more`` add, on the curve through (counts, scores)."""
    from scipy.optimize import OptimizeWarning, curve_fit

    def error(labels: Floats, floor: float, scale: float, power: float) -> Floats:
        result: Floats = floor + scale * (labels / now) ** -power
        return result

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)  # a flat curve leaves the power open, which does not matter
        found: Sequence[float] = curve_fit(
            error, counts, 1 - scores, p0=(0.05, 0.2, 0.5), bounds=((0, 0, 0.05), (1, 1, 2)), max_nfev=10_000
        )[0]
    before, after = error(np.array([now, now + more], dtype=np.float64), *found)
    return float(1 - before), float(before - after)
