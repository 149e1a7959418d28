"""The labelled sentences of held-out reports, and a system's predictions for them, on which every figure is based."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.scores import Bools, Floats
from ..data.report import Report


@dataclass(frozen=True)
class Gold:
    """Sentences that people labelled, with their labels.

    Attributes:
        reports: the reports with at least one labelled sentence.
        names: the labels, in order.
        places: for each report, the indices (n,) of its labelled sentences in ``Report.sentences``.
        truth: for each report (n, labels), True where people gave the label.
    """

    reports: tuple[Report, ...]
    names: tuple[str, ...]
    places: tuple[NDArray[np.integer], ...]
    truth: tuple[Bools, ...]

    @classmethod
    def of(cls, reports: Iterable[Report], names: Sequence[str]) -> Gold:
        """The labelled sentences of ``reports``, without headings and furniture."""
        kept, places, truth = [], [], []
        for report in reports:
            asked = [i for i, s in enumerate(report.sentences) if s.kind == "sentence" and s.labels is not None]
            if asked:
                kept.append(report)
                places.append(np.asarray(asked))
                rows = [[name in (report.sentences[i].labels or ()) for name in names] for i in asked]
                truth.append(np.asarray(rows, dtype=bool))
        return cls(tuple(kept), tuple(names), tuple(places), tuple(truth))

    def questions(self) -> Iterator[Report]:
        """The reports without their labels, so that no system can see them."""
        for report in self.reports:
            yield report.with_labels([None for _ in report.sentences])


@dataclass(frozen=True)
class Predictions:
    """One system's predictions for a gold standard, one array per report.

    Attributes:
        given: (n, labels), True where the system predicts the label.
        probabilities: (n, labels) probabilities, 0 to 1; None if the system has none.
        review: (n,), True where the system asks for a review.
    """

    given: tuple[Bools, ...]
    probabilities: tuple[Floats, ...] | None
    review: tuple[Bools, ...]


def collect(gold: Gold, annotated: Iterable[Report], watch: Callable[[int], None] = lambda done: None) -> Predictions:
    """Collect the predictions from ``annotated``: the gold reports, in order, labelled by a system.

    ``watch`` is called with the number of finished reports.
    """
    given, probabilities, review = [], [], []
    for done, (report, places) in enumerate(zip(annotated, gold.places, strict=True), 1):
        rows = [report.sentences[i] for i in places]
        given.append(np.asarray([[name in (s.labels or ()) for name in gold.names] for s in rows], dtype=bool))
        review.append(np.asarray([s.review for s in rows], dtype=bool))
        if all(s.scores is not None for s in rows):
            probabilities.append(
                np.asarray([[(s.scores or {})[name] for name in gold.names] for s in rows], dtype=float)
            )
        watch(done)
    complete = len(probabilities) == len(given)
    return Predictions(tuple(given), tuple(probabilities) if complete else None, tuple(review))
