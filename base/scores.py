"""Precision, recall and F1 of multi-label answers, from counts, for many sums at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating]


def counts_of(truth: Bools, given: Bools) -> NDArray[np.integer]:
    """(3, labels): true positives, false positives, false negatives of two (sentences, labels) arrays."""
    return np.stack([(truth & given).sum(axis=0), (~truth & given).sum(axis=0), (truth & ~given).sum(axis=0)])


def precision(counts: NDArray[np.number], undefined: float = 0.0) -> Floats:
    """(…, labels) precision of (…, 3, labels) counts; ``undefined`` for a label that is never given."""
    tp, fp, _ = np.moveaxis(counts, -2, 0)
    return divide(tp, tp + fp, undefined)


def recall(counts: NDArray[np.number], undefined: float = 0.0) -> Floats:
    """(…, labels) recall of (…, 3, labels) counts; ``undefined`` for a label that is never true."""
    tp, _, fn = np.moveaxis(counts, -2, 0)
    return divide(tp, tp + fn, undefined)


def f1(counts: NDArray[np.number], undefined: float = 0.0) -> Floats:
    """(…, labels) F1 of (…, 3, labels) counts; ``undefined`` for a label that is neither true nor given."""
    tp, fp, fn = np.moveaxis(counts, -2, 0)
    return divide(2 * tp, 2 * tp + fp + fn, undefined)


def macro_f1(truth: Bools, given: Bools) -> float:
    """Unweighted mean over labels of F1, of two (sentences, labels) arrays; a label that never occurs counts 0."""
    return float(f1(counts_of(truth, given)).mean())


def divide(one: NDArray[np.number], other: NDArray[np.number], undefined: float = np.nan) -> Floats:
    """``one / other``; ``undefined`` where ``other`` is 0."""
    out = np.full(np.broadcast(one, other).shape, undefined, dtype=np.float64)
    result: Floats = np.divide(one, other, out=out, where=np.abs(other) > 1e-12)
    return result
