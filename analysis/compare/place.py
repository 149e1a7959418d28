"""Identifies a sentence of two compared reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["earlier", "later"]


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A sentence: its report, and its index in ``Report.sentences``."""

    side: Side
    index: int
