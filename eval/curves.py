"""Curves: precision against recall, and the remaining errors when people review the least certain sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.scores import Bools, Floats, counts_of, f1

SHARES = tuple(percent / 100 for percent in range(51))


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall of one label at every threshold that changes them, the strictest first.

    Attributes:
        average: the area under the steps (average precision).
    """

    recall: tuple[float, ...]
    precision: tuple[float, ...]
    average: float


def precision_recall(truth: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> PrecisionRecall | None:
    """The curve of one label over (sentences,) arrays; None if the label never occurs.

    Sentences with equal probability are included together.
    """
    if not truth.any():
        return None
    order = np.argsort(-probabilities, kind="stable")
    ranked, hits = probabilities[order], np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    recall, precision = hits[last] / hits[-1], hits[last] / (last + 1)
    average = float((np.diff(recall, prepend=0.0) * precision).sum())
    return PrecisionRecall(tuple(map(float, recall)), tuple(map(float, precision)), average)


@dataclass(frozen=True)
class Reviewed:
    """Scores when people review the least certain ``share`` of the sentences.

    Attributes:
        rest: macro-F1 of the sentences that are not reviewed.
        corrected: macro-F1 of all sentences, the reviewed ones counted as right.
    """

    share: float
    rest: float
    corrected: float


def review_curve(
    truth: Bools, given: Bools, confidence: Floats, shares: Sequence[float] = SHARES
) -> tuple[Reviewed, ...]:
    """The curve over (sentences, labels) answers and (sentences,) confidences; the least certain are reviewed first.

    Macro-F1 covers the labels that occur among its sentences, as true or predicted labels: once the last sentence with
    a label is reviewed, that label has no F1.
    """
    order = np.argsort(confidence, kind="stable")
    points = []
    for share in shares:
        first = round(share * len(order))
        mended = given.copy()
        mended[order[:first]] = truth[order[:first]]
        rest = order[first:]
        points.append(Reviewed(share, occurring_f1(truth[rest], given[rest]), occurring_f1(truth, mended)))
    return tuple(points)


def occurring_f1(truth: Bools, given: Bools) -> float:
    """Macro-F1 over the labels that occur in (sentences, labels) arrays, true or predicted; 1 if none does."""
    occurs = (truth | given).any(axis=0)
    return float(f1(counts_of(truth, given))[occurs].mean()) if occurs.any() else 1.0
