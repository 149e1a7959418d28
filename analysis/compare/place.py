"""Where a sentence of two compared reports stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["earlier", "later"]


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A sentence: which report, and its place in ``Report.sentences``."""

    side: Side
    index: int
