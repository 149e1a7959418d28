"""The network: an encoder over windows, a mean for each unit, and a head that scores each unit for each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .unit_positions import UnitPositions
from .windows import ROLES, Window


@dataclass(frozen=True)
class Batch:
    """Windows of equal length after padding.

    Attributes:
        tokens: (windows, length) ids.
        mask: (windows, length), True for a token.
        where: (units, 3): window, start and end of each answered unit.
        units: (units,) the index of each answered unit among the report's units.
    """

    tokens: Tensor
    mask: Tensor
    where: Tensor
    units: Tensor

    @classmethod
    def of(cls, windows: Sequence[Window], pad: int, device: torch.device | None = None) -> Batch:
        """Pad ``windows`` to the longest."""
        length = max(len(w.tokens) for w in windows)
        tokens = torch.full((len(windows), length), pad, dtype=torch.long)
        mask = torch.zeros((len(windows), length), dtype=torch.bool)
        for row, window in enumerate(windows):
            tokens[row, : len(window.tokens)] = torch.tensor(window.tokens)
            mask[row, : len(window.tokens)] = True
        where = [(row, start, end) for row, w in enumerate(windows) for _, start, end in w.spans]
        unit = [u for w in windows for u, _, _ in w.spans]
        return cls(
            tokens.to(device),
            mask.to(device),
            torch.tensor(where, dtype=torch.long, device=device).reshape(-1, 3),
            torch.tensor(unit, dtype=torch.long, device=device),
        )


class ReportClassifier(nn.Module):
    """Scores every unit of a report for every label.

    The meaning of a bare verb phrase ("深化改革": done or planned?) often depends on text pages earlier. So a
    bidirectional GRU reads the unit vectors of the whole report, headings included, after the encoder has read its
    windows. A few labelled sentences cannot train that; for them the head is a logistic regression on the unit's
    vector, the mean of its headings' vectors and the innermost heading's.

    Args:
        encoder: a BERT-shaped ``transformers`` model (``embeddings`` and ``encoder.layer``).
        labels: the number of labels.
        recurrent: width of the GRU in each direction; 0 leaves it out.
        regression: whether the head is a regression; it has no GRU.
        dropout: in the head, 0 to 1.
    """

    def __init__(
        self, encoder: Any, labels: int, recurrent: int = 192, regression: bool = False, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder, self.regression = encoder, regression
        hidden = encoder.config.hidden_size
        self.norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        if regression:
            self.out = nn.Linear(3 * hidden, labels)
            return
        self.role = nn.Embedding(ROLES, hidden)
        self.recurrent = nn.GRU(hidden, recurrent, bidirectional=True, batch_first=True) if recurrent else None
        self.mix = nn.Linear(hidden + 2 * recurrent, hidden)
        self.out = nn.Linear(hidden, labels)

    @property
    def depth(self) -> int:
        """The number of encoder layers."""
        return len(self.encoder.encoder.layer)

    def lower(self, batch: Batch, layers: int) -> Tensor:
        """Hidden states (windows, length, hidden) after the embeddings and the first ``layers`` layers."""
        hidden: Tensor = self.encoder.embeddings(input_ids=batch.tokens)
        return self._layers(hidden, batch.mask, 0, layers)

    def vectors(self, batch: Batch, hidden: Tensor | None = None, layers: int = 0) -> Tensor:
        """Unit vectors (units, hidden): the mean of each answered unit's tokens.

        ``hidden`` may hold the result of :meth:`lower` for the first ``layers`` layers.
        """
        if hidden is None:
            hidden = self.lower(batch, layers)
        hidden = self._layers(hidden, batch.mask, layers, self.depth).float()
        summed = torch.cat([torch.zeros_like(hidden[:, :1]), hidden.cumsum(1)], dim=1)
        row, start, end = batch.where.unbind(1)
        return (summed[row, end] - summed[row, start]) / (end - start).clamp(min=1).unsqueeze(1)

    def scores(self, vectors: Tensor, outline: UnitPositions) -> Tensor:
        """Logits (units, labels) for the units of one report in order."""
        if self.regression:
            result: Tensor = self.out(self.dropout(self.features(vectors, outline)))
            return result
        own = self.dropout(self.norm(vectors) + self.role(torch.from_numpy(outline.roles).to(vectors.device)))
        if self.recurrent is not None:
            around, _ = self.recurrent(own.unsqueeze(0))
            own = torch.cat([own, around.squeeze(0)], dim=1)
        mixed = torch.nn.functional.gelu(self.mix(self.dropout(own)))
        result = self.out(self.dropout(mixed))
        return result

    def features(self, vectors: Tensor, outline: UnitPositions) -> Tensor:
        """(units, 3 × hidden) the regression's input: own vector, headings' mean, innermost heading's."""
        normed = self.norm(vectors)
        above = torch.from_numpy(outline.above).to(vectors.device)
        path = torch.cat([normed, torch.zeros_like(normed[:1])])[above]  # -1 is the added row of zeros
        mean = path.sum(dim=1) / (above >= 0).sum(dim=1, keepdim=True).clamp(min=1)
        return torch.cat([normed, mean, path[:, -1]], dim=1)

    def _layers(self, hidden: Tensor, mask: Tensor, first: int, last: int) -> Tensor:
        blocked = torch.zeros(mask.shape, dtype=hidden.dtype, device=hidden.device)
        blocked = blocked.masked_fill(~mask, torch.finfo(hidden.dtype).min)[:, None, None, :]
        for layer in self.encoder.encoder.layer[first:last]:
            hidden = layer(hidden, blocked)
        return hidden
