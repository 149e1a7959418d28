"""Measures how far annotators agree, where they differ, and whether speed, time or proposals play a part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.bootstrap import DRAWS, SEED, Bootstrap
from ...base.errors import DataError
from ...base.interval import Figure
from ...data.labels import DEFAULT_LABELS, LabelSet
from .against import Gold, GoldScore, against_gold, read_gold
from .anchoring import Anchoring, anchoring
from .answer_matrix import AnswerMatrix, Rows
from .between import LabelAgreement, PairAgreement, exact_share, on_labels, on_pairs
from .contested import Contested, contested
from .drift import Drift, drifts
from .speed import Speed, speeds

__all__ = ["Agreement", "Figure", "LabelAgreement", "agreement", "read_gold"]


@dataclass(frozen=True)
class Agreement:
    """Agreement of several annotators.

    Attributes:
        annotators: in alphabetical order.
        sentences: how many sentences at least two of them answered; skips and unclear answers do not count.
        reports: how many reports have an answer; the bootstrap resamples reports.
        exact: share of pairs of answers with exactly the same labels, 0 to 1.
        labels: one row for each label, in the label set's order.
        pairs: one row for each pair of annotators that answered a sentence in common.
        gold: one row for each annotator, against gold answers; empty without gold.
        drift: one row for each annotator.
        speed: one row for each annotator.
        anchoring: how far annotators followed proposals.
        contested: the sentences with different answers, the most contested first.
        draws, seed: the bootstrap's number of resamples and its seed.
    """

    annotators: tuple[str, ...]
    sentences: int
    reports: int
    exact: Figure
    labels: tuple[LabelAgreement, ...]
    pairs: tuple[PairAgreement, ...]
    gold: tuple[GoldScore, ...]
    drift: tuple[Drift, ...]
    speed: tuple[Speed, ...]
    anchoring: Anchoring
    contested: tuple[Contested, ...]
    draws: int
    seed: int


def agreement(
    rows: Rows,
    labels: LabelSet = DEFAULT_LABELS,
    gold: Gold | None = None,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Agreement:
    """Measure agreement over answers records as :func:`..answers.read_answers` returns them.

    Args:
        rows: records of one or several files; answers to a sentence are joined by its id.
        labels: the labels that answers may name.
        gold: decided labels as :func:`read_gold` returns them.
        draws, seed: the number of resamples of the bootstrap over reports, and its seed.

    Raises:
        DataError: no sentence has answers of two annotators, or gold decides none of the sentences.
    """
    matrix = AnswerMatrix.of(rows, labels)
    shared = int((matrix.answered.sum(axis=1) > 1).sum()) if matrix.records else 0
    if not shared:
        raise DataError("no sentence has answers of two annotators, so agreement cannot be measured")
    truth = None if gold is None else matrix.truth(gold)
    if truth is not None and np.isnan(truth).all():
        raise DataError("--gold decides other sentences than these answers; it must come from the same project")
    bootstrap = Bootstrap(len(matrix.docs), draws, seed)
    return Agreement(
        matrix.annotators,
        shared,
        len(matrix.docs),
        exact_share(matrix, bootstrap),
        on_labels(matrix, bootstrap),
        on_pairs(matrix, bootstrap),
        () if truth is None else against_gold(matrix, truth, bootstrap),
        drifts(matrix, bootstrap, truth),
        speeds(matrix),
        anchoring(matrix, bootstrap, truth),
        contested(matrix),
        draws,
        seed,
    )
