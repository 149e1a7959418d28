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
        chosen: how often it was chosen, all annotators together.
        agreement: share of pairs of answers that say the same, 0 to 1.
        kappa: Cohen's, -1 to 1, the mean over the pairs of annotators that it is defined for.
        fleiss: Fleiss' kappa, over the sentences with the most usual number of answers.
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
        sentences: how many both answered.
        exact: share of them on which both gave the same labels.
        kappa: the mean of the labels' Cohen's kappas that are defined.
        labels: Cohen's kappa of each label.
    """

    first: str
    second: str
    sentences: int
    exact: Figure
    kappa: Figure
    labels: dict[str, Figure]


def exact_share(sheet: AnswerMatrix, bootstrap: Bootstrap) -> Figure:
    """Share of pairs of answers to one sentence whose labels are all the same."""
    hits, of = np.zeros(len(sheet.docs)), np.zeros(len(sheet.docs))
    for i, j in combinations(range(len(sheet.annotators)), 2):
        both = sheet.answered[:, i] & sheet.answered[:, j]
        same = (sheet.said[:, i] == sheet.said[:, j]).all(axis=-1)
        hits += by_report((both & same).astype(np.float64), sheet.report, len(sheet.docs))
        of += by_report(both.astype(np.float64), sheet.report, len(sheet.docs))
    return bootstrap.share(hits, of)


def on_labels(sheet: AnswerMatrix, bootstrap: Bootstrap) -> tuple[LabelAgreement, ...]:
    """Each label's agreement, in the label set's order."""
    counts = _pair_counts(sheet)  # (reports, pairs, labels, 4)
    parts = by_report(coincidences(sheet.said), sheet.report, len(sheet.docs))
    fleiss = _fleiss(sheet)
    shared = sheet.answered.sum(axis=1) > 1
    rows = []
    for number, label in enumerate(sheet.names):
        own = counts[:, :, number]
        rows.append(
            LabelAgreement(
                label,
                int(np.nansum(sheet.said[shared, :, number])),
                bootstrap.share(own[..., [0, 3]].sum(axis=(1, 2)), own.sum(axis=(1, 2))),
                bootstrap.figure(own, _mean_kappa, _mean(cohens(sheet, number))),
                bootstrap.figure(fleiss[:, number], fleiss_of_parts),
                bootstrap.figure(parts[:, number], alpha_of_coincidences, alpha(sheet.said[..., number])),
            )
        )
    return tuple(rows)


def on_pairs(sheet: AnswerMatrix, bootstrap: Bootstrap) -> tuple[PairAgreement, ...]:
    """Each pair of annotators that answered a sentence in common."""
    counts = _pair_counts(sheet)
    reports = len(sheet.docs)
    rows = []
    for number, (i, j) in enumerate(combinations(range(len(sheet.annotators)), 2)):
        both = sheet.answered[:, i] & sheet.answered[:, j]
        if not both.any():
            continue
        kappas = [cohen(sheet.said[both][:, [i, j], label]) for label in range(len(sheet.names))]
        same = (sheet.said[:, i] == sheet.said[:, j]).all(axis=-1)
        rows.append(
            PairAgreement(
                sheet.annotators[i],
                sheet.annotators[j],
                int(both.sum()),
                bootstrap.share(
                    by_report((both & same).astype(np.float64), sheet.report, reports),
                    by_report(both.astype(np.float64), sheet.report, reports),
                ),
                bootstrap.figure(counts[:, number], _mean_kappa, _mean(kappas)),
                {
                    name: bootstrap.figure(counts[:, number, label], cohen_of_counts, kappas[label])
                    for label, name in enumerate(sheet.names)
                },
            )
        )
    return tuple(rows)


def cohens(sheet: AnswerMatrix, label: int) -> list[float | None]:
    """Cohen's kappa on one label of every pair of annotators."""
    pairs = (sheet.said[:, [i, j], label] for i, j in combinations(range(len(sheet.annotators)), 2))
    return [cohen(pair[~np.isnan(pair).any(axis=1)]) for pair in pairs]


def _pair_counts(sheet: AnswerMatrix) -> Floats:
    pairs = [
        pair_counts(np.stack([sheet.said[:, i], sheet.said[:, j]], axis=-1))
        for i, j in combinations(range(len(sheet.annotators)), 2)
    ]
    return by_report(np.stack(pairs, axis=1), sheet.report, len(sheet.docs))


def _fleiss(sheet: AnswerMatrix) -> Floats:
    """(reports, labels, 3) sums over the sentences with the most usual number of answers, the higher of two."""
    answers = sheet.answered.sum(axis=1)
    usual, _ = max(Counter(int(n) for n in answers if n > 1).items(), key=lambda item: (item[1], item[0]))
    of = answers == usual
    parts = fleiss_parts(np.nansum(sheet.said[of], axis=1), usual)
    return by_report(parts, sheet.report[of], len(sheet.docs))


def _mean_kappa(counts: Floats) -> Floats:
    return mean_defined(cohen_of_counts(counts))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
