"""The worst errors, each in its context, with the training sentences that are most similar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..data.report import Report
from .attribution import Attribution
from .predictions import Gold, Predictions

CONTEXT = 2
"""Sentences and headings to show before and after."""


@dataclass(frozen=True)
class Nearest:
    """A training sentence.

    Attributes:
        similarity: cosine, -1 to 1, of its vector and the error's, both minus the mean vector of the training
            sentences.
    """

    doc: str
    headings: tuple[str, ...]
    text: str
    labels: tuple[str, ...]
    similarity: float


@dataclass(frozen=True)
class Neighbour:
    """The context of an error; ``labels`` were given by people, None for a heading and for unlabelled sentences."""

    place: int
    kind: str
    text: str
    labels: tuple[str, ...] | None


@dataclass(frozen=True)
class Mistake:
    """A sentence with a wrong label set.

    Attributes:
        report, doc: its report's index among the gold reports, and its name.
        place: its index in ``Report.sentences``.
        id: the sentence's id.
        probabilities: probability of each label.
        surprise: minus the logarithm of the model's probability for the true label set.
        label: the wrong label about which the model was most certain.
        review: True if the model marked the sentence for review.
        attribution: the words that led to the answer for ``label``; None if not computed.
        nearest: the most similar training sentences, nearest first; empty if not searched for.
    """

    report: int
    doc: str
    place: int
    id: str
    headings: tuple[str, ...]
    before: tuple[Neighbour, ...]
    text: str
    after: tuple[Neighbour, ...]
    truth: tuple[str, ...]
    given: tuple[str, ...]
    probabilities: dict[str, float]
    surprise: float
    label: str
    review: bool
    attribution: Attribution | None = None
    nearest: tuple[Nearest, ...] = field(default=())


def worst(gold: Gold, answers: Predictions, count: int) -> list[Mistake]:
    """The ``count`` wrong sentences to whose true labels the model gave the lowest probability, worst first."""
    if answers.probabilities is None:
        raise ValueError("the worst errors of a system without probabilities are unknown")
    found = []
    for number, (truth, given, probabilities) in enumerate(
        zip(gold.truth, answers.given, answers.probabilities, strict=True)
    ):
        losses = -np.log(np.clip(np.where(truth, probabilities, 1 - probabilities), 1e-9, 1.0))
        for row in np.flatnonzero((truth != given).any(axis=1)):
            found.append((float(losses[row].sum()), number, int(row), losses[row] * (truth != given)[row]))
    found.sort(key=lambda entry: (-entry[0], entry[1], entry[2]))
    return [_mistake(gold, answers, *entry) for entry in found[:count]]


def _mistake(
    gold: Gold, answers: Predictions, surprise: float, number: int, row: int, losses: NDArray[np.float64]
) -> Mistake:
    report, place = gold.reports[number], int(gold.places[number][row])
    sentence = report.sentences[place]
    shown = [i for i, s in enumerate(report.sentences) if s.kind != "furniture"]
    at = shown.index(place)
    probabilities = answers.probabilities[number][row] if answers.probabilities else ()
    return Mistake(
        number,
        report.doc,
        place,
        sentence.id,
        sentence.headings,
        tuple(_neighbour(report, i) for i in shown[max(0, at - CONTEXT) : at]),
        sentence.text,
        tuple(_neighbour(report, i) for i in shown[at + 1 : at + 1 + CONTEXT]),
        sentence.labels or (),
        tuple(name for name, yes in zip(gold.names, answers.given[number][row], strict=True) if yes),
        dict(zip(gold.names, map(float, probabilities), strict=True)),
        surprise,
        gold.names[int(losses.argmax())],
        bool(answers.review[number][row]),
    )


def _neighbour(report: Report, place: int) -> Neighbour:
    sentence = report.sentences[place]
    return Neighbour(place, sentence.kind, sentence.text, sentence.labels if sentence.kind == "sentence" else None)


class TrainingIndex:
    """An index of the training sentences by their vectors.

    Args:
        vectors: (report.sentences, width) vectors of a report: ``Annotator.vectors``.
        reports: reports whose labelled sentences are indexed.
        watch: called with the number of finished reports.
    """

    def __init__(
        self,
        vectors: Callable[[Report], NDArray[np.float32]],
        reports: Sequence[Report],
        watch: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.vectors = vectors
        self._sentences = []
        rows = []
        for done, report in enumerate(reports, 1):
            known = [i for i, s in enumerate(report.sentences) if s.kind == "sentence" and s.labels is not None]
            rows.append(vectors(report)[known])
            self._sentences += [(report.doc, report.sentences[i]) for i in known]
            watch(done)
        table = np.concatenate(rows)
        self._mean = table.mean(axis=0)
        self._table = _unit(table - self._mean)

    def nearest(self, report: Report, place: int, count: int = 3) -> tuple[Nearest, ...]:
        """The ``count`` indexed sentences most similar to the one at ``place`` in ``report.sentences``."""
        likeness = self._table @ _unit(self.vectors(report)[place] - self._mean)
        best = np.argsort(-likeness, kind="stable")[:count]
        return tuple(
            Nearest(doc, s.headings, s.text, s.labels or (), float(likeness[i]))
            for i in best
            for doc, s in [self._sentences[i]]
        )


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return result
