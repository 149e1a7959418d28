"""Quantities: the figures of metric sentences, with what they measure, how they changed and what they compare to."""

from __future__ import annotations

from .extract import quantities, report_quantities
from .quantity import Quantity

__all__ = ["Quantity", "quantities", "report_quantities"]
