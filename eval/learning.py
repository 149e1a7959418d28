"""Learning curves of the baselines: macro-F1 by the number of training reports."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..data.report import Report
from .metrics import score
from .predictions import Gold, collect

Fit = Callable[[Sequence[Report]], Callable[[Report], Report]]
"""Trains on reports and returns the function that annotates one."""


@dataclass(frozen=True)
class Point:
    """Macro-F1 of one ``system`` trained on ``reports`` reports, chosen and ordered by ``seed``."""

    system: str
    reports: int
    seed: int
    macro_f1: float


def sizes(total: int, points: int = 5) -> tuple[int, ...]:
    """At most ``points`` numbers of reports, each about twice the one before; the last one is ``total``."""
    return tuple(sorted({max(1, round(total / 2**step)) for step in range(points)})) if total else ()


def learning_curve(
    gold: Gold,
    training: Sequence[Report],
    systems: Mapping[str, Fit],
    counts: Sequence[int],
    seeds: Sequence[int] = (1, 2, 3),
    watch: Callable[[int], None] = lambda done: None,
) -> list[Point]:
    """Train each system on nested random subsets of ``training`` and score it on ``gold``.

    With all of ``training`` there is only one subset, so that size is trained once. ``watch`` is called with the number
    of finished trainings.
    """
    found = []
    for name, fit in systems.items():
        for count in counts:
            for seed in seeds if count < len(training) else seeds[:1]:
                chosen = random.Random(seed).sample(list(training), len(training))[:count]
                annotate = fit(chosen)
                answers = collect(gold, map(annotate, gold.questions()))
                scores = score(gold.truth, answers.given, gold.names, draws=1)
                found.append(Point(name, count, seed, scores.macro_f1.value))
                watch(len(found))
    return found
