"""A figure and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A figure and its 95% percentile bootstrap interval over reports."""

    value: float
    low: float
    high: float
