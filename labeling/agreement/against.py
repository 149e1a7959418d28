"""Scores each annotator against gold answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...base.bootstrap import Bootstrap, Statistic, by_report, mean_defined
from ...base.errors import DataError
from ...base.interval import Figure
from ...base.scores import Floats, f1, precision, recall
from ...data.labels import LabelSet
from ...data.records import load_records
from .answer_matrix import AnswerMatrix, identity
from .measures import cohen, cohen_of_counts, pair_counts

Gold = Mapping[str, tuple[str, ...]]
"""The decided labels of sentences, by :func:`.answer_matrix.identity`."""


@dataclass(frozen=True)
class LabelScore:
    """An annotator's score on one label: Cohen's kappa, and precision, recall and F1 against gold."""

    kappa: Figure
    precision: Figure
    recall: Figure
    f1: Figure


@dataclass(frozen=True)
class GoldScore:
    """An annotator's score.

    Attributes:
        annotator: the name.
        sentences: how many sentences the annotator answered and gold decides.
        exact: share of these with exactly gold's labels.
        kappa: the mean of the labels' Cohen's kappas that are defined.
        labels: the scores on each label, by name.
    """

    annotator: str
    sentences: int
    exact: Figure
    kappa: Figure
    labels: dict[str, LabelScore]


def read_gold(path: str | Path, labels: LabelSet) -> dict[str, tuple[str, ...]]:
    """The labels, under their current names, in a file of records; those from a single annotator do not count.

    Raises:
        DataError: the file cannot be read, names an unknown label, or decides nothing.
    """
    found = {}
    for number, record in enumerate(load_records(path, needed=("text",)), 1):
        if (names := record.get("labels")) is not None and record.get("decided") != "single":
            where = f"{path}, record {number}"
            found[identity(record)] = labels.check(labels.canonical(names), where)
    if not found:
        raise DataError(f"{path} decides no sentence; write it with `pizhu label adjudicate --pull`")
    return found


def against_gold(matrix: AnswerMatrix, truth: Floats, bootstrap: Bootstrap) -> tuple[GoldScore, ...]:
    """Score each annotator that answered a decided sentence; ``truth`` is :meth:`.AnswerMatrix.truth`."""
    reports = len(matrix.docs)
    rows = []
    for column, annotator in enumerate(matrix.annotators):
        both = matrix.answered[:, column] & ~np.isnan(truth[:, 0])
        if not both.any():
            continue
        pairs = np.stack([truth, matrix.said[:, column]], axis=-1)[both]  # (sentences, labels, 2)
        counts = by_report(pair_counts(pairs), matrix.report[both], reports)
        kappas = [cohen(pairs[:, label]) for label in range(len(matrix.names))]
        known = [kappa for kappa in kappas if kappa is not None]
        right = (pairs[..., 0] == pairs[..., 1]).all(axis=1).astype(np.float64)
        rows.append(
            GoldScore(
                annotator,
                int(both.sum()),
                bootstrap.share(
                    by_report(right, matrix.report[both], reports),
                    by_report(np.ones_like(right), matrix.report[both], reports),
                ),
                bootstrap.figure(counts, _mean_kappa, sum(known) / len(known) if known else None),
                {
                    name: LabelScore(
                        bootstrap.figure(counts[:, label], cohen_of_counts, kappas[label]),
                        bootstrap.figure(counts[:, label], _scored(precision)),
                        bootstrap.figure(counts[:, label], _scored(recall)),
                        bootstrap.figure(counts[:, label], _scored(f1)),
                    )
                    for label, name in enumerate(matrix.names)
                },
            )
        )
    return tuple(rows)


def _mean_kappa(counts: Floats) -> Floats:
    return mean_defined(cohen_of_counts(counts))


def _scored(score: Callable[[Floats, float], Floats]) -> Statistic:
    """A score as a function of sums of :func:`.measures.pair_counts`, gold first; NaN where it is not defined."""

    def of_sums(counts: Floats) -> Floats:
        both_yes, gold_no, gold_yes = counts[..., 3], counts[..., 1], counts[..., 2]
        found: Floats = score(np.stack([both_yes, gold_no, gold_yes], axis=-1)[..., None], np.nan)[..., 0]
        return found

    return of_sums
