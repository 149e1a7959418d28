"""Chance-corrected agreement on yes or no: from libraries for one table, and in closed form for many tables at once.

A bootstrap needs thousands of tables. The libraries, which take one table for each call, would need minutes; so the
intervals come from the closed forms for two categories below, and the figures themselves from the libraries. Tests
compare the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.errors import MissingExtraError
from ...base.scores import Floats, divide


def cohen(pairs: Floats) -> float | None:
    """Cohen's kappa (1960) of (sentences, 2) answers, -1 to 1; None if all are the same or there are none."""
    try:
        from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("agreement", "label") from None
    if len(np.unique(pairs)) < 2:
        return None
    return float(cohen_kappa_score(pairs[:, 0], pairs[:, 1]))


def alpha(said: Floats) -> float | None:
    """Krippendorff's alpha (nominal) of (sentences, annotators) answers, NaN where missing; at most 1.

    None if all answers that can be paired are the same.
    """
    try:
        import krippendorff
    except ImportError:
        raise MissingExtraError("agreement", "label") from None
    paired = said[(~np.isnan(said)).sum(axis=1) > 1]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:
        return None
    measure: Any = krippendorff.alpha
    return float(measure(reliability_data=paired.T, level_of_measurement="nominal"))


def pair_counts(pairs: Floats) -> Floats:
    """(sentences, …, 4) which of no-no, no-yes, yes-no, yes-yes each (sentences, …, 2) is, as 0 or 1; all 0 if NaN."""
    one, other = pairs[..., 0], pairs[..., 1]
    cells = [(one == a) & (other == b) for a in (0, 1) for b in (0, 1)]
    return np.stack(cells, axis=-1).astype(np.float64)


def cohen_of_counts(counts: Floats) -> Floats:
    """Cohen's kappa of (…, 4) sums of :func:`pair_counts`."""
    total = counts.sum(axis=-1)
    observed = divide(counts[..., 0] + counts[..., 3], total)
    one, other = divide(counts[..., 2:].sum(axis=-1), total), divide(counts[..., 1::2].sum(axis=-1), total)
    chance = one * other + (1 - one) * (1 - other)
    return divide(observed - chance, 1 - chance)


def coincidences(said: Floats) -> Floats:
    """(sentences, …, 3) the no-no, yes-yes and mixed pairs of each sentence's answers (sentences, annotators, …).

    Each of a sentence's m answers counts once, each of its pairs 1 / (m - 1) (Krippendorff 2011, section C).
    """
    answers = (~np.isnan(said)).sum(axis=1).astype(np.float64)
    yes = np.nansum(said, axis=1)
    no = answers - yes
    rows = np.stack([no * (no - 1), yes * (yes - 1), 2 * no * yes], axis=-1)
    weights: Floats = (answers > 1) / np.maximum(1, answers - 1)
    return rows * weights[..., None]


def alpha_of_coincidences(counts: Floats) -> Floats:
    """Krippendorff's alpha of (…, 3) sums of :func:`coincidences`."""
    no, yes = counts[..., 0] + counts[..., 2] / 2, counts[..., 1] + counts[..., 2] / 2
    undefined = np.minimum(no, yes) < 1e-9
    return np.where(undefined, np.nan, 1 - divide((no + yes - 1) * counts[..., 2], 2 * no * yes))


def fleiss_parts(yes: Floats, answers: int) -> Floats:
    """(sentences, …, 3) the share of a sentence's pairs of answers that agree, the share of yes answers, and 1.

    Args:
        yes: (sentences, …) how many of each sentence's answers are yes.
        answers: how many answers each sentence has.
    """
    no = answers - yes
    agreeing = (yes * (yes - 1) + no * (no - 1)) / (answers * (answers - 1))
    return np.stack([agreeing, yes / answers, np.ones_like(yes)], axis=-1)


def fleiss_of_parts(counts: Floats) -> Floats:
    """Fleiss' kappa (1971) for two categories of (…, 3) sums of :func:`fleiss_parts`."""
    observed, share = divide(counts[..., 0], counts[..., 2]), divide(counts[..., 1], counts[..., 2])
    chance = share**2 + (1 - share) ** 2
    return divide(observed - chance, 1 - chance)
