"""Compares a report with the next one of the same body."""

from __future__ import annotations

from .links import Comparison, compare_reports

__all__ = ["Comparison", "compare_reports"]
