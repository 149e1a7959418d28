"""Metrics of multi-label answers, with bootstrap intervals over reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.interval import Interval

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class LabelScore:
    """Precision, recall and F1 of one label, and how many sentences truly have it."""

    precision: Interval
    recall: Interval
    f1: Interval
    support: int


@dataclass(frozen=True)
class Scores:
    """All figures of one system on one set of reports.

    Attributes:
        labels: by name, in the label set's order.
        macro_f1: unweighted mean of the labels' F1.
        exact_match: share of sentences whose whole label set is right.
        sentences, reports: how many were scored.
    """

    labels: dict[str, LabelScore]
    macro_f1: Interval
    exact_match: Interval
    sentences: int
    reports: int


def score(
    truth: Sequence[Bools], given: Sequence[Bools], names: Sequence[str], *, draws: int = 1000, seed: int = 0
) -> Scores:
    """Score answers, one (sentences, labels) array a report.

    The interval resamples whole reports, since sentences of one report are not independent; counts a report are summed
    first, so ``draws`` resamples cost little.
    """
    counts = np.stack([counts_of(t, g) for t, g in zip(truth, given, strict=True)])  # (reports, 3, labels)
    right = np.array([[(t == g).all(axis=1).sum(), len(t)] for t, g in zip(truth, given, strict=True)])
    picks = np.random.default_rng(seed).integers(0, len(counts), (draws, len(counts)))
    drawn, drawn_right = counts[picks].sum(axis=1), right[picks].sum(axis=1)
    total, total_right = counts.sum(axis=0), right.sum(axis=0)

    def interval(value: float, samples: NDArray[np.floating]) -> Interval:
        low, high = np.percentile(samples, [2.5, 97.5])
        return Interval(float(value), float(low), float(high))

    labels = {}
    for i, name in enumerate(names):
        labels[name] = LabelScore(
            interval(_precision(total)[i], _precision(drawn)[..., i]),
            interval(_recall(total)[i], _recall(drawn)[..., i]),
            interval(f1(total)[i], f1(drawn)[..., i]),
            int(total[0, i] + total[2, i]),
        )
    return Scores(
        labels,
        interval(f1(total).mean(), f1(drawn).mean(axis=-1)),
        interval(total_right[0] / max(1, total_right[1]), drawn_right[:, 0] / np.maximum(1, drawn_right[:, 1])),
        int(total_right[1]),
        len(counts),
    )


def counts_of(truth: Bools, given: Bools) -> NDArray[np.integer]:
    """(3, labels): true positives, false positives, false negatives of two (sentences, labels) arrays."""
    return np.stack([(truth & given).sum(axis=0), (~truth & given).sum(axis=0), (truth & ~given).sum(axis=0)])


def _precision(counts: NDArray[np.integer]) -> NDArray[np.floating]:
    tp, fp, _ = np.moveaxis(counts, -2, 0)
    result: NDArray[np.floating] = tp / np.maximum(1, tp + fp)
    return result


def _recall(counts: NDArray[np.integer]) -> NDArray[np.floating]:
    tp, _, fn = np.moveaxis(counts, -2, 0)
    result: NDArray[np.floating] = tp / np.maximum(1, tp + fn)
    return result


def f1(counts: NDArray[np.integer]) -> NDArray[np.floating]:
    """(…, labels) F1 of (…, 3, labels) counts; 0 for a label that is neither true nor given."""
    tp, fp, fn = np.moveaxis(counts, -2, 0)
    result: NDArray[np.floating] = 2 * tp / np.maximum(1, 2 * tp + fp + fn)
    return result
