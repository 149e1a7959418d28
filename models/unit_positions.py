"""The role of each unit of a report, and the headings above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .windows import Unit

DEEPEST = 4
"""The most headings above a unit that are kept; the innermost ones if there are more."""


@dataclass(frozen=True)
class UnitPositions:
    """The units of one report, in order.

    Attributes:
        roles: (units,) as in ``windows.Unit.role``.
        above: (units, DEEPEST) the indices of the headings above each unit, the innermost last; -1 for none.
    """

    roles: NDArray[np.int64]
    above: NDArray[np.int64]

    @classmethod
    def of(cls, parts: Sequence[Unit]) -> UnitPositions:
        """The positions of all units of a report."""
        above = np.full((len(parts), DEEPEST), -1, dtype=np.int64)
        for row, part in enumerate(parts):
            if found := part.above[-DEEPEST:]:
                above[row, -len(found) :] = found
        return cls(np.array([part.role for part in parts], dtype=np.int64), above)

    def only(self, kept: NDArray[np.bool_]) -> UnitPositions:
        """The positions of the units selected by ``kept`` (units,), as if the report had no others."""
        places = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
        return UnitPositions(self.roles[kept], places[self.above[kept]])
