"""Agreement between annotators, label by label and pair by pair."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...base.bootstrap import Bootstrap, by_report, mean_defined
from ...base.interval import Figure
from ...base.scores import Floats
from .answer_matrix import AnswerMatrix
from .measures import (
    alpha,
    alpha_of_coincidences,
    cohen,
    cohen_of_counts,
    coincidences,
    fleiss_of_parts,
    fleiss_parts,
    pair_counts,
)


@dataclass(frozen=True)
class LabelAgreement:
    """Agreement on one label, over the sentences that at least two annotators answered.

    Attributes:
        label: its name.
        chosen: how often annotators chose it, all together.
        agreement: share of pairs of answers that agree on it, 0 to 1.
        kappa: Cohen's kappa, -1 to 1, the mean over the pairs of annotators that it is defined for.
        fleiss: Fleiss' kappa, over the sentences with the most common number of answers.
        alpha: Krippendorff's (nominal), at most 1.
    """

    label: str
    chosen: int
    agreement: Figure
    kappa: Figure
    fleiss: Figure
    alpha: Figure


@dataclass(frozen=True)
class PairAgreement:
    """Agreement of two annotators.

    Attributes:
        first, second: their names.
        sentences: how many sentences both answered.
        exact: share of these with exactly the same labels from both.
        kappa: the mean of the labels' Cohen's kappas that are defined.
        labels: Cohen's kappa of each label.
    """

    first: str
    second: str
    sentences: int
    exact: Figure
    kappa: Figure
    labels: dict[str, Figure]


def exact_share(matrix: AnswerMatrix, bootstrap: Bootstrap) -> Figure:
    """Share of pairs of answers to a sentence with exactly the same labels."""
    hits, of = np.zeros(len(matrix.docs)), np.zeros(len(matrix.docs))
    for i, j in combinations(range(len(matrix.annotators)), 2):
        both = matrix.answered[:, i] & matrix.answered[:, j]
        same = (matrix.said[:, i] == matrix.said[:, j]).all(axis=-1)
        hits += by_report((both & same).astype(np.float64), matrix.report, len(matrix.docs))
        of += by_report(both.astype(np.float64), matrix.report, len(matrix.docs))
    return bootstrap.share(hits, of)


def on_labels(matrix: AnswerMatrix, bootstrap: Bootstrap) -> tuple[LabelAgreement, ...]:
    """Each label's agreement, in the label set's order."""
    counts = _pair_counts(matrix)  # (reports, pairs, labels, 4)
    parts = by_report(coincidences(matrix.said), matrix.report, len(matrix.docs))
    fleiss = _fleiss(matrix)
    shared = matrix.answered.sum(axis=1) > 1
    rows = []
    for number, label in enumerate(matrix.names):
        own = counts[:, :, number]
        rows.append(
            LabelAgreement(
                label,
                int(np.nansum(matrix.said[shared, :, number])),
                bootstrap.share(own[..., [0, 3]].sum(axis=(1, 2)), own.sum(axis=(1, 2))),
                bootstrap.figure(own, _mean_kappa, _mean(cohens(matrix, number))),
                bootstrap.figure(fleiss[:, number], fleiss_of_parts),
                bootstrap.figure(parts[:, number], alpha_of_coincidences, alpha(matrix.said[..., number])),
            )
        )
    return tuple(rows)


def on_pairs(matrix: AnswerMatrix, bootstrap: Bootstrap) -> tuple[PairAgreement, ...]:
    """The agreement of each pair of annotators that answered a sentence in common."""
    counts = _pair_counts(matrix)
    reports = len(matrix.docs)
    rows = []
    for number, (i, j) in enumerate(combinations(range(len(matrix.annotators)), 2)):
        both = matrix.answered[:, i] & matrix.answered[:, j]
        if not both.any():
            continue
        kappas = [cohen(matrix.said[both][:, [i, j], label]) for label in range(len(matrix.names))]
        same = (matrix.said[:, i] == matrix.said[:, j]).all(axis=-1)
        rows.append(
            PairAgreement(
                matrix.annotators[i],
                matrix.annotators[j],
                int(both.sum()),
                bootstrap.share(
                    by_report((both & same).astype(np.float64), matrix.report, reports),
                    by_report(both.astype(np.float64), matrix.report, reports),
                ),
                bootstrap.figure(counts[:, number], _mean_kappa, _mean(kappas)),
                {
                    name: bootstrap.figure(counts[:, number, label], cohen_of_counts, kappas[label])
                    for label, name in enumerate(matrix.names)
                },
            )
        )
    return tuple(rows)


def cohens(matrix: AnswerMatrix, label: int) -> list[float | None]:
    """Cohen's kappa on one label of every pair of annotators."""
    pairs = (matrix.said[:, [i, j], label] for i, j in combinations(range(len(matrix.annotators)), 2))
    return [cohen(pair[~np.isnan(pair).any(axis=1)]) for pair in pairs]


def _pair_counts(matrix: AnswerMatrix) -> Floats:
    pairs = [
        pair_counts(np.stack([matrix.said[:, i], matrix.said[:, j]], axis=-1))
        for i, j in combinations(range(len(matrix.annotators)), 2)
    ]
    return by_report(np.stack(pairs, axis=1), matrix.report, len(matrix.docs))


def _fleiss(matrix: AnswerMatrix) -> Floats:
    """(reports, labels, 3) sums over the sentences with the most common number of answers; of a tie, the higher."""
    answers = matrix.answered.sum(axis=1)
    usual, _ = max(Counter(int(n) for n in answers if n > 1).items(), key=lambda item: (item[1], item[0]))
    of = answers == usual
    parts = fleiss_parts(np.nansum(matrix.said[of], axis=1), usual)
    return by_report(parts, matrix.report[of], len(matrix.docs))


def _mean_kappa(counts: Floats) -> Floats:
    return mean_defined(cohen_of_counts(counts))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
