"""How far annotators agree, where they differ, and whether speed, time or proposals have to do with it."""

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
        sentences: how many at least two of them answered; skips and unclear answers do not count.
        reports: how many reports have an answer; intervals come from drawing these.
        exact: share of pairs of answers whose labels are all the same, 0 to 1.
        labels: one row a label, in the label set's order.
        pairs: one row a pair of annotators that answered a sentence in common.
        gold: one row an annotator against decided answers; empty without them.
        drift: one row an annotator over time.
        speed: one row an annotator.
        anchoring: how far proposals were followed.
        contested: the sentences that answers differ on, the most contested first.
        draws, seed: of the bootstrap.
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
    """Measure agreement over answers records as :func:`..answers.read_answers` gives them.

    Args:
        rows: of one or several files; answers to one sentence are put together by its id.
        labels: what the answers name.
        gold: decided labels as :func:`read_gold` gives them.
        draws, seed: of the bootstrap over reports.

    Raises:
        DataError: no sentence has the answers of two annotators, or gold decides none of them.
    """
    sheet = AnswerMatrix.of(rows, labels)
    shared = int((sheet.answered.sum(axis=1) > 1).sum()) if sheet.records else 0
    if not shared:
        raise DataError("no sentence has answers of two annotators, so there is no agreement to measure")
    truth = None if gold is None else sheet.truth(gold)
    if truth is not None and np.isnan(truth).all():
        raise DataError("--gold decides other sentences than these answers; it must come from the same project")
    bootstrap = Bootstrap(len(sheet.docs), draws, seed)
    return Agreement(
        sheet.annotators,
        shared,
        len(sheet.docs),
        exact_share(sheet, bootstrap),
        on_labels(sheet, bootstrap),
        on_pairs(sheet, bootstrap),
        () if truth is None else against_gold(sheet, truth, bootstrap),
        drifts(sheet, bootstrap, truth),
        speeds(sheet),
        anchoring(sheet, bootstrap, truth),
        contested(sheet),
        draws,
        seed,
    )
