"""Do proposals pull answers towards themselves?

An annotator who works from a proposal agrees with it more often than one who has not looked at it, if only because
agreeing is one key. So the share of proposals left as they were stands beside how often answers that were made without
the proposal come to the same, and, where gold tells, how often a wrong proposal was followed.
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
    """How often answers are just what the model proposed: ``share`` of ``answers``."""

    answers: int
    share: Figure


@dataclass(frozen=True)
class Anchored:
    """One annotator's.

    Attributes:
        annotator: the name.
        seen: answers made from a proposal: how many left it unchanged.
        unseen: answers made without the proposal that the sentence had (blind): how many come to the same.
        wrong_seen, wrong_unseen: the same over proposals that gold says are wrong; None without gold.
    """

    annotator: str
    seen: Followed
    unseen: Followed
    wrong_seen: Followed | None
    wrong_unseen: Followed | None


@dataclass(frozen=True)
class Anchoring:
    """All annotators', and how far pairs agree exactly when both worked from a proposal and when neither did."""

    annotators: tuple[Anchored, ...]
    pairs_seen: Followed
    pairs_unseen: Followed


def anchoring(sheet: AnswerMatrix, bootstrap: Bootstrap, truth: Floats | None = None) -> Anchoring:
    """Compare answers with the proposals that stood beside them; ``truth`` is :meth:`.AnswerMatrix.truth`."""
    rows = []
    wrong = None if truth is None else _wrong(sheet, truth)
    for name in sheet.annotators:
        seen, unseen = (_followed(sheet, name, bootstrap, of, None) for of in (True, False))
        misled = (
            (None, None) if wrong is None else [_followed(sheet, name, bootstrap, of, wrong) for of in (True, False)]
        )
        rows.append(Anchored(name, seen, unseen, *misled))
    return Anchoring(tuple(rows), _pairs(sheet, bootstrap, True), _pairs(sheet, bootstrap, False))


def _followed(
    sheet: AnswerMatrix, name: str, bootstrap: Bootstrap, seen: bool, among: set[tuple[int, str]] | None
) -> Followed:
    counts = np.zeros((len(sheet.docs), 2))
    for row, given in enumerate(sheet.given):
        answer = given.get(name)
        proposed = answer and _proposed(answer)
        if answer is None or proposed is None or answer.from_prediction is not seen:
            continue
        if among is None or (row, name) in among:
            counts[sheet.report[row]] += (set(answer.labels or ()) == proposed, 1)
    return Followed(int(counts[:, 1].sum()), bootstrap.share(counts[:, 0], counts[:, 1]))


def _pairs(sheet: AnswerMatrix, bootstrap: Bootstrap, seen: bool) -> Followed:
    counts = np.zeros((len(sheet.docs), 2))
    for row, given in enumerate(sheet.given):
        chosen = [answer for answer in given.values() if answer.from_prediction is seen]
        for one, other in combinations(chosen, 2):
            counts[sheet.report[row]] += (one.labels == other.labels, 1)
    return Followed(int(counts[:, 1].sum()), bootstrap.share(counts[:, 0], counts[:, 1]))


def _wrong(sheet: AnswerMatrix, truth: Floats) -> set[tuple[int, str]]:
    """Sentences and annotators where the proposal is not what gold says."""
    return {
        (row, name)
        for row, given in enumerate(sheet.given)
        if not np.isnan(truth[row, 0])
        for name, answer in given.items()
        if (proposed := _proposed(answer)) is not None and vector(sorted(proposed), sheet.names) != list(truth[row])
    }


def _proposed(answer: Answer[str]) -> set[str] | None:
    labels = answer.shown.get("labels") if answer.shown else None
    return None if labels is None else set(labels)
