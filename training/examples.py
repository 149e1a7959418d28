"""Labelled reports made ready for the network, with what the frozen layers say of them computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data.report import Report
from ..models.classifier import Batch, ReportClassifier
from ..models.device import half_precision
from ..models.runtime import batches
from ..models.unit_positions import UnitPositions
from ..models.windows import Window, Windower

# Above this many tokens the frozen layers' answers are not kept (1.5 GB for a width of 384).
CACHED_TOKENS = 1_000_000
# A report whose windows are of unlike length, or have more tokens than fit the memory at once, is read in groups.
GROUPED_TOKENS, TOGETHER = 4096, 100_000


@dataclass(frozen=True)
class Example:
    """One report.

    Attributes:
        windows: with title and heading path, and, in ``bare``, without (or none at all).
        places: of its units among the report's sentences.
        outline: of its units.
        targets: (units, labels) 0 or 1, or between them where a teacher has a say.
        known: (units,) True where a person, the corpus or a teacher gave labels; only these carry loss.
        vectors: (units, width) a teacher's unit vectors, to be learned as well; None without a teacher.
    """

    windows: list[Window]
    bare: list[Window]
    places: tuple[int, ...]
    outline: UnitPositions
    targets: Tensor
    known: Tensor
    vectors: Tensor | None = None

    @classmethod
    def of(
        cls,
        report: Report,
        names: Sequence[str],
        windower: Windower,
        *,
        bare: bool = True,
    ) -> Example:
        """Tokenise ``report``; its sentences' ``labels`` are the targets; without ``bare`` no bare windows."""
        parts = windower.units(report)
        targets = torch.zeros((len(parts), len(names)))
        known = torch.zeros(len(parts), dtype=torch.bool)
        for row, part in enumerate(parts):
            sentence = report.sentences[part.index]
            if sentence.kind == "sentence" and sentence.labels is not None:
                known[row] = True
                for label in sentence.labels:
                    targets[row, names.index(label)] = 1.0
        covered = windower.windows(report, parts)
        without = windower.without_headings().windows(report, parts) if bare else []
        places = tuple(part.index for part in parts)
        return cls(covered, without, places, UnitPositions.of(parts), targets, known)

    def counted(self, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(units,) the units ``known`` and the headings above them: all that a regression over ``known`` looks at."""
        found = known.copy()
        above = self.outline.above[known]
        found[above[above >= 0]] = True
        return found

    def narrowed(self) -> Example:
        """This, read no further than a regression over its labelled units looks."""
        counted = self.counted(self.known.numpy())
        return replace(self, windows=holding(self.windows, counted), bare=holding(self.bare, counted))


def holding(found: Sequence[Window], units: NDArray[np.bool_]) -> list[Window]:
    """The windows among ``found`` that answer one of ``units``, a mask over the report's."""
    return [window for window in found if any(units[unit] for unit, _, _ in window.spans)]


@dataclass(frozen=True)
class Stretch:
    """Some windows of an example, ready for a step: the batch, and its lower hidden states if they are kept."""

    batch: Batch
    hidden: Tensor | None


class Lower:
    """Hidden states after the frozen layers, computed once a window and kept, since frozen layers never change."""

    def __init__(self, model: ReportClassifier, layers: int, pad: int, examples: Sequence[Example]) -> None:
        self.model, self.layers, self.pad = model, layers, pad
        self.device = next(model.parameters()).device
        tokens = sum(len(w.tokens) for e in examples for w in (*e.windows, *e.bare))
        self.enabled = layers > 0 and tokens <= CACHED_TOKENS
        self._kept: dict[Window, Tensor] = {}

    def warm(self, example: Example) -> None:
        """Compute those of ``example``, always its windows together, so that they come out the same to the last bit."""
        groups = (*_alike(example.windows), *_alike(example.bare)) if self.enabled else ()
        for group in groups:
            batch = Batch.of(group, self.pad, self.device)
            with torch.no_grad(), half_precision(self.device):
                hidden = self.model.lower(batch, self.layers)
            for row, window in enumerate(group):
                self._kept[window] = hidden[row, : len(window.tokens)].clone()

    def vectors(self, example: Example) -> tuple[Tensor, NDArray[np.bool_]]:
        """The vectors (read units, width) of the units that the windows of ``example`` answer, without gradients.

        And a mask (units,) of those units.
        """
        count = len(example.known)
        found = torch.zeros((count, self.model.encoder.config.hidden_size), device=self.device)
        kept = torch.zeros(count, dtype=torch.bool)
        for group in _alike(example.windows):
            stretch = self.stretch(group, 0, count)
            assert stretch is not None  # no group is empty
            with torch.no_grad(), half_precision(self.device):
                read = self.model.vectors(stretch.batch, stretch.hidden, self.layers)
            found[stretch.batch.units] = read
            kept[stretch.batch.units.cpu()] = True
        return found[kept.to(self.device)], kept.numpy()

    def stretch(self, found: Sequence[Window], first: int, last: int) -> Stretch | None:
        """The windows among ``found`` that answer units ``first`` to ``last`` (half open); None where none does."""
        whole = [w for w in found if w.spans[0][0] < last and w.spans[-1][0] >= first]
        if not whole:
            return None
        chosen = [replace(w, spans=tuple((u - first, a, b) for u, a, b in w.spans if first <= u < last)) for w in whole]
        batch = Batch.of(chosen, self.pad, self.device)
        if not self.enabled:
            return Stretch(batch, None)
        hidden = torch.nn.utils.rnn.pad_sequence([self._kept[w] for w in whole], batch_first=True)
        return Stretch(batch, hidden)


def _alike(found: Sequence[Window]) -> list[list[Window]]:
    """``found`` in one group; where padding would be half of it, or it would be large, in groups of like length."""
    lengths = [len(window.tokens) for window in found]
    if not found or max(lengths) * len(found) < min(2 * sum(lengths), TOGETHER):
        return [list(found)] if found else []
    return [[window for _, window in group] for group in batches([(None, w) for w in found], GROUPED_TOKENS)]
