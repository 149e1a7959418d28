"""Quantities: the figures of metric sentences, with what they measure, how they moved and against what."""

from __future__ import annotations

from .extract import quantities, report_quantities
from .quantity import Quantity

__all__ = ["Quantity", "quantities", "report_quantities"]
