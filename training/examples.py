"""Prepares labelled reports for the network; the frozen layers' outputs for them are computed once."""

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

# Above this many tokens the frozen layers' outputs are not cached (1.5 GB for a width of 384).
CACHED_TOKENS = 1_000_000
# A report whose windows differ in length, or have more tokens than fit into memory at once, is encoded in groups.
GROUPED_TOKENS, TOGETHER = 4096, 100_000


@dataclass(frozen=True)
class Example:
    """One report.

    Attributes:
        windows: its windows with title and heading path; ``bare`` holds those without (or nothing).
        places: the indices of its units among the report's sentences.
        outline: the positions of its units.
        targets: (units, labels) 0 or 1, or between them with a teacher.
        known: (units,) True where a person, the corpus or a teacher gave labels; only these have a loss.
        vectors: (units, width) a teacher's unit vectors, to be learned too; None without a teacher.
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
        """Tokenise ``report``; its sentences' ``labels`` are the targets; without ``bare``, ``bare`` stays empty."""
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
        """(units,) the units ``known`` and the headings above them: the inputs of a regression over ``known``."""
        found = known.copy()
        above = self.outline.above[known]
        found[above[above >= 0]] = True
        return found

    def narrowed(self) -> Example:
        """The example reduced to the inputs of a regression over its labelled units."""
        counted = self.counted(self.known.numpy())
        return replace(self, windows=holding(self.windows, counted), bare=holding(self.bare, counted))


def holding(found: Sequence[Window], units: NDArray[np.bool_]) -> list[Window]:
    """The windows among ``found`` that answer one of ``units``, a mask over the report's units."""
    return [window for window in found if any(units[unit] for unit, _, _ in window.spans)]


@dataclass(frozen=True)
class Stretch:
    """Some windows of an example, ready for a step: the batch, and its lower hidden states if they are cached."""

    batch: Batch
    hidden: Tensor | None


class Lower:
    """Caches the hidden states after the frozen layers: computed once per window, since frozen layers never change."""

    def __init__(self, model: ReportClassifier, layers: int, pad: int, examples: Sequence[Example]) -> None:
        self.model, self.layers, self.pad = model, layers, pad
        self.device = next(model.parameters()).device
        tokens = sum(len(w.tokens) for e in examples for w in (*e.windows, *e.bare))
        self.enabled = layers > 0 and tokens <= CACHED_TOKENS
        self._kept: dict[Window, Tensor] = {}

    def warm(self, example: Example) -> None:
        """Compute the states of ``example``, always with the same windows together, so that no bit differs."""
        groups = (*_alike(example.windows), *_alike(example.bare)) if self.enabled else ()
        for group in groups:
            batch = Batch.of(group, self.pad, self.device)
            with torch.no_grad(), half_precision(self.device):
                hidden = self.model.lower(batch, self.layers)
            for row, window in enumerate(group):
                self._kept[window] = hidden[row, : len(window.tokens)].clone()

    def vectors(self, example: Example) -> tuple[Tensor, NDArray[np.bool_]]:
        """Vectors (read units, width) of the units that the windows of ``example`` answer, without gradients.

        Also returns a mask (units,) of those units.
        """
        count = len(example.known)
        found = torch.zeros((count, self.model.encoder.config.hidden_size), device=self.device)
        kept = torch.zeros(count, dtype=torch.bool)
        for group in _alike(example.windows):
            stretch = self.stretch(group, 0, count)
            assert stretch is not None  # groups are never empty
            with torch.no_grad(), half_precision(self.device):
                read = self.model.vectors(stretch.batch, stretch.hidden, self.layers)
            found[stretch.batch.units] = read
            kept[stretch.batch.units.cpu()] = True
        return found[kept.to(self.device)], kept.numpy()

    def stretch(self, found: Sequence[Window], first: int, last: int) -> Stretch | None:
        """The windows among ``found`` that answer units ``first`` to ``last`` (half open); None if none does."""
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
    """``found`` in one group; if half of it would be padding, or it is large, in groups of similar length."""
    lengths = [len(window.tokens) for window in found]
    if not found or max(lengths) * len(found) < min(2 * sum(lengths), TOGETHER):
        return [list(found)] if found else []
    return [[window for _, window in group] for group in batches([(None, w) for w in found], GROUPED_TOKENS)]
