"""Which label was given where another was true, when a sentence may have several."""

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
        matrix: (labels + 1, labels + 1) counts, rows what was true. The diagonal counts labels given rightly. A label
            that was missed counts under each label that was given wrongly in its place, or in the last column where
            nothing was. A label given wrongly where none was missed counts in the last row. The last corner counts
            sentences that have no label and were given none.
        sets: (true labels, given labels, how many sentences), the commonest first, wrong ones only.
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
