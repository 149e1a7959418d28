"""Which labels are confused with which, when a sentence may have several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..base.scores import Bools


@dataclass(frozen=True)
class Confusion:
    """A multi-label confusion matrix, in the manner of Heydarian et al. (2022), and the commonest wrong label sets.

    Attributes:
        matrix: (labels + 1, labels + 1) counts; rows are true labels. The diagonal counts labels that were predicted
            rightly. A missed label counts under each label that was wrongly predicted in its place, or in the last
            column if there was none. A wrongly predicted label counts in the last row if no label was missed. The last
            corner counts sentences that have no label and for which none was predicted.
        sets: (true labels, predicted labels, number of sentences), most frequent first, wrong ones only.
    """

    matrix: tuple[tuple[int, ...], ...]
    sets: tuple[tuple[tuple[str, ...], tuple[str, ...], int], ...]


def confusion(truth: Bools, given: Bools, names: Sequence[str]) -> Confusion:
    """Count (sentences, labels) answers against the truth."""
    size = len(names)
    matrix = np.zeros((size + 1, size + 1), dtype=int)
    matrix[np.arange(size), np.arange(size)] = (truth & given).sum(axis=0)
    matrix[size, size] = (~(truth | given).any(axis=1)).sum()
    sets: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
    for true, got in zip(truth, given, strict=True):
        missed, extra = np.flatnonzero(true & ~got).tolist(), np.flatnonzero(got & ~true).tolist()
        if missed or extra:
            matrix[np.ix_(missed or [size], extra or [size])] += 1
            sets[_names(true, names), _names(got, names)] += 1
    rows = tuple(tuple(map(int, row)) for row in matrix)
    return Confusion(rows, tuple((true, got, count) for (true, got), count in sets.most_common()))


def _names(row: Bools, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name, yes in zip(names, row, strict=True) if yes)
