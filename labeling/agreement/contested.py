"""The sentences that annotators answered differently, the most contested first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from statistics import mean

from .answer_matrix import AnswerMatrix, identity


@dataclass(frozen=True)
class Contested:
    """A contested sentence.

    Attributes:
        id: its id, or its text if the record has none.
        doc, headings, previous, text: its report, heading path, previous sentence and text.
        answers: labels by annotator.
        distance: mean Jaccard distance of the pairs of answers, above 0 to 1 (nothing in common).
    """

    id: str
    doc: str
    headings: tuple[str, ...]
    previous: str
    text: str
    answers: dict[str, tuple[str, ...]]
    distance: float


def contested(matrix: AnswerMatrix) -> tuple[Contested, ...]:
    """The sentences whose answers are not all the same; equally contested ones in the order of the records."""
    found = []
    for record, given in zip(matrix.records, matrix.given, strict=True):
        answers = {name: given[name].labels or () for name in sorted(given)}
        if len(set(answers.values())) > 1:
            distance = mean(_jaccard(set(one), set(other)) for one, other in combinations(answers.values(), 2))
            headings = tuple(record.get("headings", ()))
            doc, previous = record.get("doc", ""), record.get("previous") or ""
            found.append(Contested(identity(record), doc, headings, previous, record["text"], answers, distance))
    return tuple(sorted(found, key=lambda row: -row.distance))


def _jaccard(one: set[str], other: set[str]) -> float:
    return 1 - len(one & other) / len(one | other) if one | other else 0.0
