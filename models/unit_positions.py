"""Where each unit of a report stands: what part it plays, and which units are the headings above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .windows import Unit

DEEPEST = 4
"""Headings above a unit that are told; of more, the innermost."""


@dataclass(frozen=True)
class UnitPositions:
    """The units of one report, in order.

    Attributes:
        roles: (units,) as ``windows.Unit.role``.
        above: (units, DEEPEST) the places of the headings above each, the innermost last; -1 where there is none.
    """

    roles: NDArray[np.int64]
    above: NDArray[np.int64]

    @classmethod
    def of(cls, parts: Sequence[Unit]) -> UnitPositions:
        """Of all units of a report."""
        above = np.full((len(parts), DEEPEST), -1, dtype=np.int64)
        for row, part in enumerate(parts):
            if found := part.above[-DEEPEST:]:
                above[row, -len(found) :] = found
        return cls(np.array([part.role for part in parts], dtype=np.int64), above)

    def only(self, kept: NDArray[np.bool_]) -> UnitPositions:
        """Of the units that ``kept`` (units,) names, as if the report had no others."""
        places = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
        return UnitPositions(self.roles[kept], places[self.above[kept]])
