"""A figure and its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A figure and its 95% percentile bootstrap interval over reports."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """A figure that may be undefined, and its 95% percentile bootstrap interval over reports.

    Attributes:
        value: None where it is not defined (nothing to divide by, no variation).
        low, high: None where the value is None, where fewer than two reports contribute, and where the figure is not
            defined in half of the draws.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def certain(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)
