"""Selects the best of many scores without sorting all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOGETHER = 256
"""How many pairs are processed before the used rows and columns are filtered out again."""


def highest(scores: NDArray[np.floating[Any]], most: int) -> NDArray[np.intp]:
    """Indices of the ``most`` highest scores in descending order; equal scores keep their order."""
    least = np.partition(scores, -most)[-most] if 0 < most < len(scores) else -np.inf
    places = np.flatnonzero(scores >= least)
    return places[np.argsort(-scores[places], kind="stable")][:most]


def one_to_one(scores: NDArray[np.floating[Any]], least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) chosen greedily from the highest score down to ``least``, sorted by row.

    Each row and each column is used at most once.
    """
    flat = np.flatnonzero(scores >= least)
    flat = flat[np.argsort(-scores.ravel()[flat], kind="stable")]
    rows, columns = np.divmod(flat, max(scores.shape[1], 1))
    found: list[tuple[int, int]] = []
    free_rows, free_columns = (np.ones(size, dtype=bool) for size in scores.shape)
    for first in range(0, len(flat), _TOGETHER):
        some, others = rows[first : first + _TOGETHER], columns[first : first + _TOGETHER]
        # If all figures have the same name, this drops nearly all pairs; each chunk with any left yields at least one.
        left = free_rows[some] & free_columns[others]
        for i, j in zip(some[left].tolist(), others[left].tolist(), strict=True):
            if free_rows[i] and free_columns[j]:
                free_rows[i] = free_columns[j] = False
                found.append((i, j))
    return sorted(found)
