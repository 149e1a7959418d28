"""Scores on the shipped test split, and what several seeds come to; shared by the bench scripts that train."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from pizhu import Annotator
from pizhu.base.scores import macro_f1
from pizhu.data.report import Report


def score(folder: Path, reports: Sequence[Report]) -> float:
    """Macro-F1 of a model folder's own answers on the labelled sentences of ``reports``."""
    annotator = Annotator.load(folder)
    return agreeing(reports, annotator.annotate_many(reports), annotator.about.labels.names)


def agreeing(reports: Sequence[Report], answers: Iterable[Report], names: Sequence[str]) -> float:
    """Macro-F1 of ``answers``, in order, on the labelled sentences of ``reports``."""
    given, truth = [], []
    for report, answer in zip(reports, answers, strict=True):
        for right, found in zip(report.sentences, answer.sentences, strict=True):
            if right.kind == "sentence" and right.labels is not None:
                truth.append([name in right.labels for name in names])
                given.append([name in (found.labels or ()) for name in names])
    return macro_f1(np.asarray(truth), np.asarray(given))


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Mean and standard deviation over seeds."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.{digits}f} ± {deviation:.{digits}f}"


def kept(path: Path, key: str, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What ``measure`` finds, kept under ``key`` in the JSON Lines file ``path`` so that it is measured once."""
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.pop("key") == key:
                return row
    found = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": key, **found}, ensure_ascii=False) + "\n")
    print(json.dumps({"measured": key, **found}, ensure_ascii=False), flush=True)
    return found
