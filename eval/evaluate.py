"""Evaluate a model on held-out reports, beside the baseline trained on what the model was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.errors import DataError
from ..data.report import Report
from .baseline import TfidfBaseline
from .metrics import Scores, score

if TYPE_CHECKING:
    from ..models.annotator import Annotator


@dataclass(frozen=True)
class Evaluation:
    """Scores of each system on the same reports, the model first."""

    systems: dict[str, Scores]
    docs: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"reports": list(self.docs), "systems": {name: asdict(scores) for name, scores in self.systems.items()}}


def evaluate(
    annotator: Annotator,
    held_out: Sequence[Report],
    training: Sequence[Report] = (),
    watch: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Score ``annotator`` on the labelled sentences of ``held_out``, and the baseline fitted on ``training`` if given.

    ``watch`` is told how many reports are done.

    Raises:
        DataError: nothing is labelled, a label is not the model's, or it was trained on one of the reports.
    """
    held_out = [r for r in held_out if any(s.kind == "sentence" and s.labels is not None for s in r.sentences)]
    if not held_out:
        raise DataError("there is no labelled sentence to evaluate on")
    names = annotator.about.labels.names
    unknown = {name for r in held_out for s in r.sentences for name in s.labels or ()} - set(names)
    if unknown:
        raise DataError(f"the data have the label {min(unknown)!r}, but the model knows {', '.join(names)}")
    seen = set(annotator.about.origin.get("data", {}).get("training", ()))
    if leaked := next((r.doc for r in held_out if r.doc in seen), None):
        raise DataError(f"the model was trained on report {leaked}; evaluate it on reports that it has not seen")
    truth = [_truth(report, names) for report in held_out]
    answers = []
    for done, report in enumerate(held_out, 1):
        given = annotator.annotate(report)
        known = [s.labels is not None and s.kind == "sentence" for s in report.sentences]
        rows = [[name in (s.labels or ()) for name in names] for s, k in zip(given.sentences, known, strict=True) if k]
        answers.append(np.asarray(rows, dtype=bool))
        watch(done)
    systems = {"model": score(truth, answers, names)}
    if training:
        baseline = TfidfBaseline(names).fit(training)
        systems["tf-idf + logistic regression"] = score(truth, [baseline.predict(r) for r in held_out], names)
    return Evaluation(systems, tuple(r.doc for r in held_out))


def _truth(report: Report, names: Sequence[str]) -> NDArray[np.bool_]:
    rows = [
        [name in s.labels for name in names] for s in report.sentences if s.kind == "sentence" and s.labels is not None
    ]
    return np.asarray(rows, dtype=bool)
