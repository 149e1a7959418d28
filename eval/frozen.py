"""Sentence vectors of an encoder: before it learned any label (a baseline), and of one that did (attributions)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.errors import MissingExtraError
from ..data.report import Report
from ..models.device import choose_device, half_precision
from ..models.encoder import load_encoder
from ..models.windows import ContextFormat, SpecialTokens, Unit, Window, units, windows

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from ..models.classifier import ReportClassifier

_WINDOWS_A_BATCH = 8


@dataclass(frozen=True)
class Reading:
    """A report as an encoder read it.

    Attributes:
        parts: its units.
        windows: that cover them.
        vectors: (parts, hidden) the mean of each unit's tokens.
    """

    parts: Sequence[Unit]
    windows: Sequence[Window]
    vectors: torch.Tensor


def read(model: ReportClassifier, tokenizer: Tokenizer, context: ContextFormat, report: Report) -> Reading:
    """Let the encoder of ``model`` read ``report``, without gradients, in float32."""
    import torch

    from ..models.classifier import Batch

    special = SpecialTokens.of(tokenizer)
    parts = units(report, tokenizer, context)
    found = windows(report, parts, tokenizer, special, context)
    device = next(model.parameters()).device
    vectors = torch.zeros((len(parts), model.encoder.config.hidden_size), device=device)
    by_length = sorted(found, key=lambda window: len(window.tokens))
    with torch.no_grad():
        for first in range(0, len(by_length), _WINDOWS_A_BATCH):
            batch = Batch.of(by_length[first : first + _WINDOWS_A_BATCH], special.pad, device)
            vectors[batch.units] = model.vectors(batch)
    return Reading(parts, found, vectors)


def encoder_vectors(
    setting: str = "bundled", context: ContextFormat | None = None
) -> Callable[[Report], NDArray[np.float32]]:
    """A function that gives (report.sentences, hidden) vectors by an untrained encoder; zeros for furniture.

    The encoder reads windows of the report, as the classifier does, and what it said of a report is kept.

    Raises:
        ModelError, MissingExtraError: as ``load_encoder``.
    """
    encoder = load_encoder(setting)
    try:
        from ..models.classifier import ReportClassifier
    except ImportError:
        raise MissingExtraError("the frozen encoder", "train") from None
    model = ReportClassifier(encoder.model, labels=1, recurrent=0).eval()
    model.to(device := choose_device())
    kept: dict[tuple[str, str], NDArray[np.float32]] = {}

    def vectors(report: Report) -> NDArray[np.float32]:
        key = report.doc, report.text
        if key not in kept:
            with half_precision(device):
                reading = read(model, encoder.tokenizer, context or ContextFormat(), report)
            kept[key] = np.zeros((len(report.sentences), reading.vectors.shape[1]), dtype=np.float32)
            kept[key][[part.index for part in reading.parts]] = reading.vectors.cpu().numpy()
        return kept[key]

    return vectors
