"""Answers as arrays of sentences, annotators and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.scores import Floats
from ...data.labels import LabelSet
from ...data.records import Record
from ..studio.answers import Answer, latest

Rows = Iterable[tuple[Record, Sequence[Answer[str]]]]
"""Sentence records with their answers, as :func:`..answers.read_answers` returns them."""


@dataclass(frozen=True)
class AnswerMatrix:
    """The sentences that have a clear answer; skips and unclear answers do not count.

    Attributes:
        annotators: the annotators' names, sorted.
        names: the labels' names, in the label set's order.
        docs: the reports' names, sorted.
        records: the sentences' records.
        given: each sentence's answers by annotator, the latest of each.
        report: (sentences,) the index in ``docs`` of each sentence's report.
        said: (sentences, annotators, labels) 1 or 0, NaN where the annotator gave no answer.
    """

    annotators: tuple[str, ...]
    names: tuple[str, ...]
    docs: tuple[str, ...]
    records: list[Record]
    given: list[dict[str, Answer[str]]]
    report: NDArray[np.int64]
    said: Floats

    @classmethod
    def of(cls, rows: Rows, labels: LabelSet) -> AnswerMatrix:
        """The matrix of ``rows``, which are joined first."""
        records, given = [], []
        for record, every in joined(rows):
            clear = {answer.annotator: answer for answer in latest(every) if answer.labels is not None}
            if clear:
                records.append(record)
                given.append(clear)
        annotators = tuple(sorted({name for clear in given for name in clear}))
        docs = {doc: number for number, doc in enumerate(sorted({record.get("doc", "") for record in records}))}
        said = np.full((len(records), len(annotators), len(labels)), np.nan)
        for row, clear in enumerate(given):
            for column, name in enumerate(annotators):
                if name in clear:
                    said[row, column] = vector(clear[name].labels, labels.names)
        report = np.array([docs[record.get("doc", "")] for record in records], dtype=np.int64)
        return cls(annotators, labels.names, tuple(docs), records, given, report, said)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(sentences, annotators) whether the annotator answered the sentence."""
        return ~np.isnan(self.said[..., 0])

    def truth(self, gold: Mapping[str, Sequence[str]]) -> Floats:
        """(sentences, labels) the labels in ``gold``, which has them by :func:`identity`; NaN where it has none."""
        unknown = np.full(len(self.names), np.nan)
        keys = map(identity, self.records)
        return np.array([vector(gold[key], self.names) if key in gold else unknown for key in keys])


def joined(rows: Rows) -> list[tuple[Record, list[Answer[str]]]]:
    """``rows`` with all rows of a sentence (from two pulls, two files) joined; rows without an id are not joined."""
    found: dict[object, tuple[Record, list[Answer[str]]]] = {}
    for number, (record, answers) in enumerate(rows):
        found.setdefault(record.get("id") or number, (record, []))[1].extend(answers)
    return list(found.values())


def identity(record: Record) -> str:
    """A sentence's key: its id, or its text if the record has none."""
    return str(record.get("id") or record["text"])


def vector(labels: Sequence[str] | None, names: Sequence[str]) -> list[float]:
    """For each of ``names``, 1 if it is in ``labels``, else 0."""
    return [float(name in (labels or ())) for name in names]
