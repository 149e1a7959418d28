"""Measures whether proposals bias answers towards themselves (anchoring).

An annotator who starts from a proposal agrees with it more often than one who has not seen it, if only because
agreeing takes one key press. So the share of unchanged proposals is compared with the share of answers that equal the
proposal although they were made without it, and, with gold, the same is measured for wrong proposals.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...base.bootstrap import Bootstrap
from ...base.interval import Figure
from ...base.scores import Floats
from ..studio.answers import Answer
from .answer_matrix import AnswerMatrix, vector


@dataclass(frozen=True)
class Followed:
    """How often answers equal the model's proposal: ``share`` of ``answers``."""

    answers: int
    share: Figure


@dataclass(frozen=True)
class Anchored:
    """How far an annotator follows proposals.

    Attributes:
        annotator: the name.
        seen: answers made from a proposal: how many left it unchanged.
        unseen: answers made without seeing the sentence's proposal (blind): how many equal it.
        wrong_seen, wrong_unseen: the same for proposals that are wrong by gold; None without gold.
    """

    annotator: str
    seen: Followed
    unseen: Followed
    wrong_seen: Followed | None
    wrong_unseen: Followed | None


@dataclass(frozen=True)
class Anchoring:
    """The annotators' anchoring, and how often two agree exactly if both started from a proposal or neither did."""

    annotators: tuple[Anchored, ...]
    pairs_seen: Followed
    pairs_unseen: Followed


def anchoring(matrix: AnswerMatrix, bootstrap: Bootstrap, truth: Floats | None = None) -> Anchoring:
    """Compare answers with the proposals of their sentences; ``truth`` is :meth:`.AnswerMatrix.truth`."""
    rows = []
    wrong = None if truth is None else _wrong(matrix, truth)
    for name in matrix.annotators:
        seen, unseen = (_followed(matrix, name, bootstrap, of, None) for of in (True, False))
        misled = (
            (None, None) if wrong is None else [_followed(matrix, name, bootstrap, of, wrong) for of in (True, False)]
        )
        rows.append(Anchored(name, seen, unseen, *misled))
    return Anchoring(tuple(rows), _pairs(matrix, bootstrap, True), _pairs(matrix, bootstrap, False))


def _followed(
    matrix: AnswerMatrix, name: str, bootstrap: Bootstrap, seen: bool, among: set[tuple[int, str]] | None
) -> Followed:
    counts = np.zeros((len(matrix.docs), 2))
    for row, given in enumerate(matrix.given):
        answer = given.get(name)
        proposed = answer and _proposed(answer)
        if answer is None or proposed is None or answer.from_prediction is not seen:
            continue
        if among is None or (row, name) in among:
            counts[matrix.report[row]] += (set(answer.labels or ()) == proposed, 1)
    return Followed(int(counts[:, 1].sum()), bootstrap.share(counts[:, 0], counts[:, 1]))


def _pairs(matrix: AnswerMatrix, bootstrap: Bootstrap, seen: bool) -> Followed:
    counts = np.zeros((len(matrix.docs), 2))
    for row, given in enumerate(matrix.given):
        chosen = [answer for answer in given.values() if answer.from_prediction is seen]
        for one, other in combinations(chosen, 2):
            counts[matrix.report[row]] += (one.labels == other.labels, 1)
    return Followed(int(counts[:, 1].sum()), bootstrap.share(counts[:, 0], counts[:, 1]))


def _wrong(matrix: AnswerMatrix, truth: Floats) -> set[tuple[int, str]]:
    """The sentences and annotators whose proposal differs from gold."""
    return {
        (row, name)
        for row, given in enumerate(matrix.given)
        if not np.isnan(truth[row, 0])
        for name, answer in given.items()
        if (proposed := _proposed(answer)) is not None and vector(sorted(proposed), matrix.names) != list(truth[row])
    }


def _proposed(answer: Answer[str]) -> set[str] | None:
    labels = answer.shown.get("labels") if answer.shown else None
    return None if labels is None else set(labels)
