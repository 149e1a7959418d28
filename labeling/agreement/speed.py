"""Measures how long answers took, and how many were faster than one can read the sentence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from .answer_matrix import AnswerMatrix

CHARACTERS_A_SECOND = 20.0
"""Three times the speed of silent reading in Chinese (260 words, some 400 characters a minute; Brysbaert 2019)."""
REACTION = 0.5
"""The shortest time in seconds to decide and press keys."""


@dataclass(frozen=True)
class Speed:
    """An annotator's speed.

    Attributes:
        annotator: the name.
        timed: how many answers have a lead time.
        median: the median lead time in seconds; None if no answer has one.
        by_labels: the median lead time in seconds, by how many labels were chosen.
        hasty: how many answers were faster than one can read the sentence.
        length: the median length of their sentences in characters, for a fair comparison of annotators.
    """

    annotator: str
    timed: int
    median: float | None
    by_labels: dict[int, float]
    hasty: int
    length: float | None


def speeds(matrix: AnswerMatrix) -> tuple[Speed, ...]:
    """Each annotator's speed over answers with a lead time."""
    rows = []
    for name in matrix.annotators:
        seconds: list[float] = []
        lengths: list[int] = []
        by_labels: dict[int, list[float]] = defaultdict(list)
        hasty = 0
        for record, given in zip(matrix.records, matrix.given, strict=True):
            answer = given.get(name)
            if answer is None or not answer.lead_time or answer.lead_time < 0:
                continue
            length = len(record["text"])
            seconds.append(answer.lead_time)
            lengths.append(length)
            by_labels[len(answer.labels or ())].append(answer.lead_time)
            hasty += answer.lead_time < REACTION + length / CHARACTERS_A_SECOND
        rows.append(
            Speed(
                name,
                len(seconds),
                median(seconds) if seconds else None,
                {count: median(times) for count, times in sorted(by_labels.items())},
                hasty,
                median(lengths) if lengths else None,
            )
        )
    return tuple(rows)
