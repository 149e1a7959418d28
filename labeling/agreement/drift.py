"""Measures whether an annotator changes over time, compared with others' answers to the same sentences.

A change that comes from the reports is not drift, so label rates are measured as the excess over the rate that the
others (or gold) have on the same sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.bootstrap import Bootstrap, by_report, mean_defined
from ...base.interval import Figure
from ...base.scores import Floats
from .answer_matrix import AnswerMatrix

WINDOWS = 8
ANSWERS_A_WINDOW = 15
"""The smallest number of answers in a window; a rate from fewer is meaningless."""


@dataclass(frozen=True)
class Window:
    """Consecutive answers of an annotator.

    Attributes:
        start, end: the times of the first and last answer, ISO 8601.
        answers: how many there are.
        agreement: share that equals the reference exactly, the mean over the others; None without a reference.
        rates: how often the annotator chose each label, 0 to 1.
        reference: how often the reference chose each label on the same sentences.
    """

    start: str
    end: str
    answers: int
    agreement: float | None
    rates: dict[str, float]
    reference: dict[str, float | None]


@dataclass(frozen=True)
class Drift:
    """An annotator's drift.

    Attributes:
        annotator: the name.
        windows: windows of about equally many answers, in order of time; empty if there are too few answers for two.
        agreement: agreement in the last third of the answers minus agreement in the first third.
        rates: change of each label's excess rate (own minus the reference's) from the first third to the last.
    """

    annotator: str
    windows: tuple[Window, ...]
    agreement: Figure
    rates: dict[str, Figure]


def drifts(matrix: AnswerMatrix, bootstrap: Bootstrap, truth: Floats | None = None) -> tuple[Drift, ...]:
    """Each annotator's drift, over answers that have a time; the reference is ``truth`` if given, else the others."""
    return tuple(_drift(matrix, column, bootstrap, truth) for column in range(len(matrix.annotators)))


def _drift(matrix: AnswerMatrix, column: int, bootstrap: Bootstrap, truth: Floats | None) -> Drift:
    name = matrix.annotators[column]
    times = {row: at for row, given in enumerate(matrix.given) if name in given and (at := given[name].at)}
    order = np.array(sorted(times, key=lambda row: (times[row], row)), dtype=np.int64)
    own = matrix.said[order, column]
    same, reference = _reference(matrix, column, order, truth)
    if len(order) < 2 * ANSWERS_A_WINDOW:
        return Drift(name, (), Figure(None), {label: Figure(None) for label in matrix.names})
    windows = []
    for part in np.array_split(np.arange(len(order)), min(WINDOWS, len(order) // ANSWERS_A_WINDOW)):
        rates, others = own[part].mean(axis=0), mean_defined(reference[part].T)
        windows.append(
            Window(
                times[int(order[part[0]])],
                times[int(order[part[-1]])],
                len(part),
                _or_none(float(mean_defined(same[part]))),
                {label: float(rate) for label, rate in zip(matrix.names, rates, strict=True)},
                {label: _or_none(rate) for label, rate in zip(matrix.names, others, strict=True)},
            )
        )
    first, _, last = np.array_split(np.arange(len(order)), 3)

    def change(values: Floats) -> Figure:
        return bootstrap.change(
            *(_sums(values[part], matrix.report[order[part]], len(matrix.docs)) for part in (first, last))
        )

    excess = own - reference
    return Drift(
        name, tuple(windows), change(same), {label: change(excess[:, i]) for i, label in enumerate(matrix.names)}
    )


def _reference(
    matrix: AnswerMatrix, column: int, order: NDArray[np.int64], truth: Floats | None
) -> tuple[Floats, Floats]:
    """(answers,) the share of the reference that is the same, and (answers, labels) the share that is yes; else NaN."""
    others = np.delete(matrix.said, column, axis=1)[order] if truth is None else truth[order][:, None]
    same = (others == matrix.said[order, column][:, None]).all(axis=-1).astype(np.float64)
    same[np.isnan(others[..., 0])] = np.nan
    return mean_defined(same), mean_defined(np.moveaxis(others, 1, -1))


def _sums(values: Floats, report: NDArray[np.int64], reports: int) -> Floats:
    """(reports, 2) the sum of the known values, and their number."""
    known = ~np.isnan(values)
    return by_report(np.stack([np.where(known, values, 0), known], axis=-1).astype(np.float64), report, reports)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
