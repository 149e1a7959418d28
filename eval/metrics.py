"""Metrics of multi-label predictions, with bootstrap intervals over reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..base.bootstrap import Bootstrap, interval
from ..base.interval import Interval
from ..base.scores import Bools, counts_of, f1, precision, recall


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
        labels: by label name, in the label set's order.
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
    """Score predictions, given as one (sentences, labels) array per report.

    The interval resamples whole reports, since sentences of one report are not independent; counts are first summed by
    report, so ``draws`` resamples cost little.
    """
    counts = np.stack([counts_of(t, g) for t, g in zip(truth, given, strict=True)])  # (reports, 3, labels)
    right = np.array([[(t == g).all(axis=1).sum(), len(t)] for t, g in zip(truth, given, strict=True)])
    bootstrap = Bootstrap(len(counts), draws, seed)
    drawn, drawn_right = bootstrap.sums(counts), bootstrap.sums(right)
    total, total_right = counts.sum(axis=0), right.sum(axis=0)

    labels = {}
    for i, name in enumerate(names):
        labels[name] = LabelScore(
            interval(precision(total)[i], precision(drawn)[..., i]),
            interval(recall(total)[i], recall(drawn)[..., i]),
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
