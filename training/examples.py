"""Labelled reports made ready for the network, with what the frozen layers say of them computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data.report import Report
from ..models.classifier import Batch, ReportClassifier
from ..models.device import half_precision
from ..models.windows import ContextFormat, SpecialTokens, Window, units, windows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Above this many tokens the frozen layers' answers are not kept (1.5 GB for a width of 384).
CACHED_TOKENS = 1_000_000


@dataclass(frozen=True)
class Example:
    """One report.

    Attributes:
        windows: with title and heading path, and, in ``bare``, without (or none at all).
        roles: (units,) as in ``windows.Unit``.
        targets: (units, labels) 0 or 1, or between them where a teacher has a say.
        known: (units,) True where a person, the corpus or a teacher gave labels; only these carry loss.
        vectors: (units, width) a teacher's unit vectors, to be learned as well; None without a teacher.
    """

    windows: list[Window]
    bare: list[Window]
    roles: Tensor
    targets: Tensor
    known: Tensor
    vectors: Tensor | None = None

    @classmethod
    def of(
        cls,
        report: Report,
        names: Sequence[str],
        tokenizer: Tokenizer,
        special: SpecialTokens,
        context: ContextFormat,
        *,
        bare: bool = True,
    ) -> Example:
        """Tokenise ``report``; its sentences' ``labels`` are the targets; without ``bare`` no bare windows."""
        parts = units(report, tokenizer, context)
        targets = torch.zeros((len(parts), len(names)))
        known = torch.zeros(len(parts), dtype=torch.bool)
        for row, part in enumerate(parts):
            sentence = report.sentences[part.index]
            if sentence.kind == "sentence" and sentence.labels is not None:
                known[row] = True
                for label in sentence.labels:
                    targets[row, names.index(label)] = 1.0
        roles = torch.tensor([part.role for part in parts], dtype=torch.long)
        covered = windows(report, parts, tokenizer, special, context)
        without = windows(report, parts, tokenizer, special, replace(context, prefix=0)) if bare else []
        return cls(covered, without, roles, targets, known)


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
        for group in filter(None, (example.windows, example.bare) if self.enabled else ()):
            batch = Batch.of(group, self.pad, self.device)
            with torch.no_grad(), half_precision(self.device):
                hidden = self.model.lower(batch, self.layers)
            for row, window in enumerate(group):
                self._kept[window] = hidden[row, : len(window.tokens)].clone()

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
