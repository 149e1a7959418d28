"""The same figures for parts of the data, to show where the model is good and where it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ..base.interval import Interval
from ..base.scores import Bools
from ..data.corpus.load import KINDS, LEVELS
from ..data.report import Report, normalise
from .metrics import Scores, score
from .predictions import Gold, Predictions
from .sections import SECTIONS, section

LENGTHS = {"1-15": 15, "16-30": 30, "31-60": 60, "61+": 10**9}
"""Groups by length in characters, white space not counted: the name of each group and its maximum."""
POSITIONS = ("first quarter", "second quarter", "third quarter", "last quarter")

_Values: TypeAlias = Callable[[Report], Sequence[str | None]]


def slices(
    gold: Gold, answers: Predictions, facts: Mapping[str, Mapping[str, str]], *, draws: int = 500
) -> dict[str, dict[str, Scores]]:
    """Scores by section, length, position and report, and by each report's ``facts`` (its kind, its level).

    Macro-F1 of a slice covers only the labels that occur in it, true or predicted; it is 1 if none does. ``facts`` maps
    ``Report.doc`` to values by slice name; reports that are not in it are in none of these slices.
    """
    dimensions: dict[str, tuple[_Values, Sequence[str] | None]] = {
        "kind": (lambda report: [facts.get(report.doc, {}).get("kind")] * len(report.sentences), KINDS),
        "level": (lambda report: [facts.get(report.doc, {}).get("level")] * len(report.sentences), LEVELS),
        "section": (_sections, SECTIONS),
        "length": (_lengths, tuple(LENGTHS)),
        "position": (_positions, POSITIONS),
        "report": (lambda report: [report.doc] * len(report.sentences), None),
    }
    result = {}
    for dimension, (values, order) in dimensions.items():
        found = []
        for report, places in zip(gold.reports, gold.places, strict=True):
            of_all = values(report)
            found.append([of_all[place] or "" for place in places])
        known = {value for row in found for value in row} - {""}
        names = [value for value in order if value in known] if order else sorted(known)
        if names:
            result[dimension] = {
                name: _scores(gold, answers, [np.array([v == name for v in row], dtype=bool) for row in found], draws)
                for name in names
            }
    return result


def _scores(gold: Gold, answers: Predictions, inside: list[Bools], draws: int) -> Scores:
    truth = [t[i] for t, i in zip(gold.truth, inside, strict=True) if i.any()]
    given = [g[i] for g, i in zip(answers.given, inside, strict=True) if i.any()]
    occurs = np.asarray(np.concatenate([*truth, *given]).any(axis=0))
    if not occurs.any():
        return replace(score(truth, given, gold.names, draws=draws), labels={}, macro_f1=Interval(1.0, 1.0, 1.0))
    names = [name for name, yes in zip(gold.names, occurs, strict=True) if yes]
    return score([t[:, occurs] for t in truth], [g[:, occurs] for g in given], names, draws=draws)


def _sections(report: Report) -> list[str | None]:
    title = report.title
    return [section(s.headings, title) for s in report.sentences]


def _lengths(report: Report) -> list[str | None]:
    lengths = [len(normalise(s.text)) for s in report.sentences]
    return [next(name for name, longest in LENGTHS.items() if length <= longest) for length in lengths]


def _positions(report: Report) -> list[str | None]:
    """Group by the share of the report's sentences that come before."""
    total = sum(s.kind == "sentence" for s in report.sentences)
    result: list[str | None] = []
    before = 0
    for s in report.sentences:
        result.append(POSITIONS[4 * before // total] if s.kind == "sentence" else None)
        before += s.kind == "sentence"
    return result
