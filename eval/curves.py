"""Curves: precision against recall, and what is left to err when the doubtful sentences are reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.scores import Bools, Floats, counts_of, f1

SHARES = tuple(percent / 100 for percent in range(51))


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall of one label at every threshold that changes them, from the strictest on.

    Attributes:
        average: the area under the steps (average precision).
    """

    recall: tuple[float, ...]
    precision: tuple[float, ...]
    average: float


def precision_recall(truth: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> PrecisionRecall | None:
    """The curve of one label over (sentences,) arrays; None where the label never occurs.

    Sentences of one probability are taken or left together.
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
    """What holds when the most doubtful ``share`` of the sentences is given to people.

    Attributes:
        rest: macro-F1 of the sentences that nobody looks at.
        corrected: macro-F1 of all sentences, the reviewed ones taken as right.
    """

    share: float
    rest: float
    corrected: float


def review_curve(
    truth: Bools, given: Bools, confidence: Floats, shares: Sequence[float] = SHARES
) -> tuple[Reviewed, ...]:
    """The curve over (sentences, labels) answers and (sentences,) confidences; the doubtful go first.

    Macro-F1 counts the labels that occur among the sentences it is of, truly or as given: where the last sentence of a
    label went to review, nothing can be said of it.
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
    """Macro-F1 over the labels that occur in (sentences, labels) arrays, truly or as given; 1 where none does."""
    occurs = (truth | given).any(axis=0)
    return float(f1(counts_of(truth, given))[occurs].mean()) if occurs.any() else 1.0
