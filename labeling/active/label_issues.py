"""Finds labels that are likely wrong, by confident learning and by rules of the guideline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...base.errors import DataError
from ...base.extras import require
from ...base.progress import Progress, silent
from ...data.labels import DEFAULT_LABELS, LabelSet
from ...data.records import Record
from .learner import Features, out_of_fold
from .pool import Bools, Floats, Pool
from .violations import violations

MIN_SCORE = 0.965
"""The lowest score at which a label is reported: three in four planted errors were found with it, and four in five
reported labels were wrong (``bench/label_errors.py``; chosen on seeds that the benchmark does not use)."""


@dataclass(frozen=True)
class LabelIssue:
    """A sentence with a label that is likely wrong.

    Attributes:
        record: the sentence's record.
        label: the doubted label.
        given: whether the sentence has it; if not, it is likely missing.
        score: how likely it is wrong, 0 to 1.
        why: ``learner`` (learned from the other reports' labels) or ``guideline``, or both.
        words: the reason in Chinese, for annotators.
    """

    record: Record
    label: str
    given: bool
    score: float
    why: tuple[str, ...]
    words: str


def find_errors(
    pool: Pool, labels: LabelSet = DEFAULT_LABELS, *, min_score: float = MIN_SCORE, progress: Progress = silent
) -> list[LabelIssue]:
    """The doubtful labels of a pool's labelled sentences, the most doubtful first.

    Args:
        pool: sentences of at least two reports.
        labels: the pool's label set; the guideline's rules apply to the default set only.
        min_score: from 0 to 1, how doubtful a label must be to the learner; a lower value finds more errors and raises
            more false alarms.
        progress: reports how far the training is.

    Raises:
        DataError: too few reports, or too little text.
        MissingExtraError: cleanlab or scikit-learn is not installed.
    """
    require("finding label errors", "label")
    table = Features(pool).table(pool)
    probabilities = out_of_fold(pool, table, progress=progress)
    learned = find_label_issues(pool, probabilities, min_score)
    titles = {label.name: label.title for label in labels}
    found: dict[tuple[int, int], LabelIssue] = {}
    for row, column in zip(*np.nonzero(learned), strict=True):
        name, given = pool.names[column], bool(pool.truth[row, column])
        probability = float(probabilities[row, column])
        score = 1 - probability if given else probability
        words = f"参照其他报告的标法，{'不像' if given else '像'}“{titles[name]}”（把握{score:.0%}）"
        found[row, column] = LabelIssue(pool.records[row], name, given, score, ("learner",), words)
    if labels.names == DEFAULT_LABELS.names:
        for row, column, doubt in _against_guideline(pool):
            if (other := found.get((row, column))) is not None:
                doubt = LabelIssue(
                    doubt.record,
                    doubt.label,
                    doubt.given,
                    max(doubt.score, other.score),
                    (*other.why, *doubt.why),
                    f"{doubt.words}；{other.words}",
                )
            found[row, column] = doubt
    return [found[key] for key in sorted(found, key=lambda key: (-found[key].score, key))]


def find_label_issues(pool: Pool, probabilities: Floats, min_score: float = MIN_SCORE) -> Bools:
    """(sentences, labels) True where a label is likely wrong.

    Confident learning (Northcutt, Jiang and Chuang 2021), with one yes-or-no problem for each label, separates wrong
    labels from merely hard ones, whatever a label's frequency. Of these, the ones with at least ``min_score`` count.

    Args:
        pool: only its labelled sentences are checked.
        probabilities: (sentences, labels) out-of-fold probabilities.
        min_score: from 0 to 1.
    """
    from cleanlab.filter import find_label_issues as confident_learning

    known = np.flatnonzero(pool.known)
    if not len(known):
        raise DataError("there are no labelled sentences to check; pull answers first")
    result = np.zeros(pool.truth.shape, dtype=bool)
    for column in range(len(pool.names)):
        given, probability = pool.truth[known, column], probabilities[known, column]
        if given.all() or not given.any():
            continue  # nothing to learn from
        issues = confident_learning(
            given.astype(int),
            np.stack([1 - probability, probability], axis=1),
            filter_by="low_normalized_margin",
            n_jobs=1,
        )
        result[known, column] = issues & (np.where(given, 1 - probability, probability) >= min_score)
    return result


def _against_guideline(pool: Pool) -> Iterator[tuple[int, int, LabelIssue]]:
    for row in np.flatnonzero(pool.known):
        record = pool.records[row]
        for found in violations(record["text"], record["labels"] or ()):
            doubt = LabelIssue(record, found.label, found.given, found.score, ("guideline",), found.why)
            yield int(row), pool.names.index(found.label), doubt
