"""Decides which reports a step sees and its learning rate, from the seed and the step's number alone."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from .recipe import TrainingSettings

# A validation reads every validation report, so more validations than this cost more than they are worth.
VALIDATIONS = 20


@dataclass(frozen=True)
class Visit:
    """One visit of one report: its index among the reports, and a source of random numbers for this visit alone."""

    report: int
    draw: random.Random


@dataclass(frozen=True)
class Schedule:
    """The steps of a training over ``count`` reports."""

    count: int
    settings: TrainingSettings

    @property
    def visits(self) -> int:
        """Visits of reports in total: whole epochs."""
        wanted = self.settings.min_steps * self.settings.reports
        return self.count * max(self.settings.epochs, math.ceil(wanted / self.count))

    @property
    def steps(self) -> int:
        """Steps in total; the last may see fewer reports than the others."""
        return math.ceil(self.visits / self.settings.reports)

    @property
    def period(self) -> int:
        """Steps between validations."""
        return max(math.ceil(self.count / self.settings.reports), math.ceil(self.steps / VALIDATIONS))

    def at(self, step: int) -> list[Visit]:
        """The visits of ``step``, counted from 0."""
        first = step * self.settings.reports
        return [self._visit(number) for number in range(first, min(first + self.settings.reports, self.visits))]

    def rate(self, step: int) -> float:
        """Share of the peak learning rate: a linear rise, then a fall along a cosine."""
        rise = max(1, round(self.settings.warmup * self.steps))
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, self.steps - rise)))

    def _visit(self, number: int) -> Visit:
        order = list(range(self.count))
        random.Random(f"{self.settings.seed}/{number // self.count}").shuffle(order)
        return Visit(order[number % self.count], random.Random(f"{self.settings.seed}/step/{number}"))
