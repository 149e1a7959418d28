"""Sentence vectors of an encoder: an untrained one (for a baseline), or a trained one (for attributions)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.errors import MissingExtraError
from ..data.report import Report
from ..models.device import choose_device
from ..models.encoder import load_encoder
from ..models.windows import ContextFormat, Unit, Window, Windower

if TYPE_CHECKING:
    import torch

    from ..models.classifier import ReportClassifier


@dataclass(frozen=True)
class Reading:
    """A report's units, windows and vectors.

    Attributes:
        parts: its units.
        windows: the windows that cover them.
        vectors: (parts, hidden) the mean of each unit's token vectors.
    """

    parts: Sequence[Unit]
    windows: Sequence[Window]
    vectors: torch.Tensor


def read(model: ReportClassifier, windower: Windower, report: Report, *, half: bool | None = False) -> Reading:
    """Encode ``report`` with ``model``, without gradients; ``half`` as in :class:`~.runtime.TorchRuntime`."""
    import torch

    from ..models.runtime import TorchRuntime

    parts = windower.units(report)
    runtime = TorchRuntime(model, windower.special.pad, half=half)
    cut = windower.windows(report, parts)
    ((_, vectors),) = runtime.encode([((), cut)])
    return Reading(parts, cut, torch.from_numpy(vectors).to(runtime.device))


def encoder_vectors(
    setting: str = "bundled", context: ContextFormat | None = None
) -> Callable[[Report], NDArray[np.float32]]:
    """A function that computes (report.sentences, hidden) vectors with an untrained encoder; zeros for furniture.

    The encoder reads windows of the report, as the classifier does; the vectors of a report are cached.

    Raises:
        ModelError, MissingExtraError: as in ``load_encoder``.
    """
    encoder = load_encoder(setting)
    try:
        from ..models.classifier import ReportClassifier
    except ImportError:
        raise MissingExtraError("the frozen encoder", "train") from None
    model = ReportClassifier(encoder.model, labels=1, recurrent=0).eval()
    model.to(choose_device())
    windower = Windower(encoder.tokenizer, context or ContextFormat())
    kept: dict[tuple[str, str], NDArray[np.float32]] = {}

    def vectors(report: Report) -> NDArray[np.float32]:
        key = report.doc, report.text
        if key not in kept:
            reading = read(model, windower, report, half=None)
            kept[key] = np.zeros((len(report.sentences), reading.vectors.shape[1]), dtype=np.float32)
            kept[key][[part.index for part in reading.parts]] = reading.vectors.cpu().numpy()
        return kept[key]

    return vectors
