"""Does an annotator change while the work goes on? Answers in the order of time, beside what others say of the same.

What changes with the reports alone is not drift: label rates are measured as the excess over the rate that the others
(or gold) have on the same sentences.
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
"""At least; fewer say nothing of a rate."""


@dataclass(frozen=True)
class Window:
    """A stretch of an annotator's answers.

    Attributes:
        start, end: time of its first and last, ISO 8601.
        answers: how many.
        agreement: share that is exactly what the reference says, the mean over the others; None without any.
        rates: how often each label was chosen, 0 to 1.
        reference: how often the reference chose each on the same sentences.
    """

    start: str
    end: str
    answers: int
    agreement: float | None
    rates: dict[str, float]
    reference: dict[str, float | None]


@dataclass(frozen=True)
class Drift:
    """One annotator over time.

    Attributes:
        annotator: the name.
        windows: of about as many answers each, in the order of time; empty where there are too few for two.
        agreement: agreement in the last third of the answers less that in the first.
        rates: change of each label's excess rate (own less the reference's) from the first third to the last.
    """

    annotator: str
    windows: tuple[Window, ...]
    agreement: Figure
    rates: dict[str, Figure]


def drifts(sheet: AnswerMatrix, bootstrap: Bootstrap, truth: Floats | None = None) -> tuple[Drift, ...]:
    """Each annotator's answers that have a time; the reference is ``truth`` where given, else the other annotators."""
    return tuple(_drift(sheet, column, bootstrap, truth) for column in range(len(sheet.annotators)))


def _drift(sheet: AnswerMatrix, column: int, bootstrap: Bootstrap, truth: Floats | None) -> Drift:
    name = sheet.annotators[column]
    times = {row: at for row, given in enumerate(sheet.given) if name in given and (at := given[name].at)}
    order = np.array(sorted(times, key=lambda row: (times[row], row)), dtype=np.int64)
    own = sheet.said[order, column]
    same, reference = _reference(sheet, column, order, truth)
    if len(order) < 2 * ANSWERS_A_WINDOW:
        return Drift(name, (), Figure(None), {label: Figure(None) for label in sheet.names})
    windows = []
    for part in np.array_split(np.arange(len(order)), min(WINDOWS, len(order) // ANSWERS_A_WINDOW)):
        rates, others = own[part].mean(axis=0), mean_defined(reference[part].T)
        windows.append(
            Window(
                times[int(order[part[0]])],
                times[int(order[part[-1]])],
                len(part),
                _or_none(float(mean_defined(same[part]))),
                {label: float(rate) for label, rate in zip(sheet.names, rates, strict=True)},
                {label: _or_none(rate) for label, rate in zip(sheet.names, others, strict=True)},
            )
        )
    first, _, last = np.array_split(np.arange(len(order)), 3)

    def change(values: Floats) -> Figure:
        return bootstrap.change(
            *(_sums(values[part], sheet.report[order[part]], len(sheet.docs)) for part in (first, last))
        )

    excess = own - reference
    return Drift(
        name, tuple(windows), change(same), {label: change(excess[:, i]) for i, label in enumerate(sheet.names)}
    )


def _reference(
    sheet: AnswerMatrix, column: int, order: NDArray[np.int64], truth: Floats | None
) -> tuple[Floats, Floats]:
    """(answers,) how much of the reference says exactly the same, and (answers, labels) how much says yes; else NaN."""
    others = np.delete(sheet.said, column, axis=1)[order] if truth is None else truth[order][:, None]
    same = (others == sheet.said[order, column][:, None]).all(axis=-1).astype(np.float64)
    same[np.isnan(others[..., 0])] = np.nan
    return mean_defined(same), mean_defined(np.moveaxis(others, 1, -1))


def _sums(values: Floats, report: NDArray[np.int64], reports: int) -> Floats:
    """(reports, 2) sums of what is known, and how many that is."""
    known = ~np.isnan(values)
    return by_report(np.stack([np.where(known, values, 0), known], axis=-1).astype(np.float64), report, reports)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
