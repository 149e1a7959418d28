"""The best of many scores, without a look at each in turn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOGETHER = 256
"""Pairs that are looked at between two looks at which rows and columns are still free."""


def highest(scores: NDArray[np.floating[Any]], most: int) -> NDArray[np.intp]:
    """Places of the ``most`` highest, the highest first, of equal ones the first first."""
    least = np.partition(scores, -most)[-most] if 0 < most < len(scores) else -np.inf
    places = np.flatnonzero(scores >= least)
    return places[np.argsort(-scores[places], kind="stable")][:most]


def one_to_one(scores: NDArray[np.floating[Any]], least: float) -> list[tuple[int, int]]:
    """Pairs (row, column), each used once, the highest first, down to ``least``; in the order of the rows."""
    flat = np.flatnonzero(scores >= least)
    flat = flat[np.argsort(-scores.ravel()[flat], kind="stable")]
    rows, columns = np.divmod(flat, max(scores.shape[1], 1))
    found: list[tuple[int, int]] = []
    free_rows, free_columns = (np.ones(size, dtype=bool) for size in scores.shape)
    for first in range(0, len(flat), _TOGETHER):
        some, others = rows[first : first + _TOGETHER], columns[first : first + _TOGETHER]
        # Where all figures have one name nearly all pairs fall here; each chunk with one left gives a pair at least.
        left = free_rows[some] & free_columns[others]
        for i, j in zip(some[left].tolist(), others[left].tolist(), strict=True):
            if free_rows[i] and free_columns[j]:
                free_rows[i] = free_columns[j] = False
                found.append((i, j))
    return sorted(found)
