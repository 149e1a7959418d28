"""The labelled sentences of held-out reports, and what a system answers to them: the ground of every figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.report import Report

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating]
Tell = Callable[[str, float, float], None]
"""Told what is being done, how much of it is done and how much there is."""


def silent(what: str, done: float, total: float, /) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Sheet:
    """The questions: sentences that people labelled.

    Attributes:
        reports: those with at least one labelled sentence.
        names: of the labels, in order.
        places: for each report the places (n,) of its labelled sentences in ``Report.sentences``.
        truth: for each report (n, labels), True where people gave the label.
    """

    reports: tuple[Report, ...]
    names: tuple[str, ...]
    places: tuple[NDArray[np.integer], ...]
    truth: tuple[Bools, ...]

    @classmethod
    def of(cls, reports: Iterable[Report], names: Sequence[str]) -> Sheet:
        """The labelled sentences of ``reports``; headings and furniture are no questions."""
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
        """The reports without their labels, so that no system can peek."""
        for report in self.reports:
            yield report.with_labels([None for _ in report.sentences])


@dataclass(frozen=True)
class Answers:
    """One system's answers to a sheet, an array for each report.

    Attributes:
        given: (n, labels), True where the system gave the label.
        chances: (n, labels) probabilities, 0 to 1; None where a system has none.
        review: (n,), True where the system asks for a person.
    """

    given: tuple[Bools, ...]
    chances: tuple[Floats, ...] | None
    review: tuple[Bools, ...]


def collect(sheet: Sheet, annotated: Iterable[Report], watch: Callable[[int], None] = lambda done: None) -> Answers:
    """Read the answers off ``annotated``: the sheet's reports in order, labelled by a system.

    ``watch`` is told how many reports are done.
    """
    given, chances, review = [], [], []
    for done, (report, places) in enumerate(zip(annotated, sheet.places, strict=True), 1):
        rows = [report.sentences[i] for i in places]
        given.append(np.asarray([[name in (s.labels or ()) for name in sheet.names] for s in rows], dtype=bool))
        review.append(np.asarray([s.review for s in rows], dtype=bool))
        if all(s.scores is not None for s in rows):
            chances.append(np.asarray([[(s.scores or {})[name] for name in sheet.names] for s in rows], dtype=float))
        watch(done)
    complete = len(chances) == len(given)
    return Answers(tuple(given), tuple(chances) if complete else None, tuple(review))
