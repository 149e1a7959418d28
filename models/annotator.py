"""A loaded model that labels reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.errors import ModelError
from ..data.read import read_report
from ..data.report import Report
from .device import choose_device
from .folder import About, load_model
from .places import default_model
from .windows import SpecialTokens, Window, units, windows

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from .classifier import ReportClassifier

_TOKENS_A_BATCH = 4096


class Annotator:
    """Gives every sentence of a report its labels and their probabilities.

    >>> Annotator.load().annotate("报告.txt").sentences  # doctest: +SKIP
    """

    def __init__(self, model: ReportClassifier, tokenizer: Tokenizer, about: About) -> None:
        self.model, self.tokenizer, self.about = model, tokenizer, about
        self._special = SpecialTokens.of(tokenizer)

    @classmethod
    def load(cls, folder: str | Path | None = None, *, device: str | None = None) -> Annotator:
        """Load a model folder.

        Args:
            folder: where the model lies; None for the default one (``PIZHU_MODEL``, else what ``make demo`` left).
            device: ``cpu``, ``cuda``, …; None takes a GPU where there is one.

        Raises:
            ModelError: there is no model, or a part of it is missing, changed or made for other labels.
            ConfigError: this machine has no such device.
        """
        if folder is None and not default_model().is_dir():
            raise ModelError(f"there is no model at {default_model()} yet; run: make demo, or: pizhu train --out MODEL")
        model, tokenizer, about = load_model(default_model() if folder is None else folder)
        model.to(choose_device(device))
        return cls(model, tokenizer, about)

    def annotate(self, report: Report | str | Path) -> Report:
        """The report with ``labels`` and ``scores`` on each sentence; headings and furniture get no labels.

        Raises:
            ReadError: the file cannot be read.
        """
        if not isinstance(report, Report):
            report = read_report(report)
        logits = self.logits(report)
        probabilities = self.about.decision.probabilities(logits)
        given = self.about.decision.choose(probabilities)
        names = self.about.labels.names
        labels: list[tuple[str, ...]] = []
        scores: list[dict[str, float] | None] = []
        for sentence, row, yes in zip(report.sentences, probabilities, given, strict=True):
            answered = sentence.kind == "sentence"
            labels.append(tuple(n for n, y in zip(names, yes, strict=True) if y) if answered else ())
            scores.append(dict(zip(names, map(float, row), strict=True)) if answered else None)
        return report.with_labels(labels, scores)

    def logits(self, report: Report) -> NDArray[np.float32]:
        """Raw scores (report.sentences, labels); zeros for furniture."""
        return report_logits(self.model, self.tokenizer, self._special, self.about, report)


def report_logits(
    model: ReportClassifier, tokenizer: Tokenizer, special: SpecialTokens, about: About, report: Report
) -> NDArray[np.float32]:
    """Raw scores of ``model`` for every entry of ``report.sentences``; zeros for furniture."""
    import torch

    from .classifier import Batch

    result = np.zeros((len(report.sentences), len(about.labels)), dtype=np.float32)
    parts = units(report, tokenizer, about.context)
    if not parts:
        return result
    device = next(model.parameters()).device
    half = torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
    vectors: torch.Tensor | None = None
    with torch.inference_mode(), half:
        for group in _batches(windows(report, parts, tokenizer, special, about.context)):
            batch = Batch.of(group, special.pad, device)
            found = model.vectors(batch).float()
            if vectors is None:
                vectors = torch.zeros((len(parts), found.shape[1]), device=device)
            vectors[batch.units] = found
        assert vectors is not None
        roles = torch.tensor([part.role for part in parts], device=device)
        scores = model.scores(vectors, roles).float().cpu().numpy()
    result[[part.index for part in parts]] = scores
    return result


def _batches(found: Sequence[Window]) -> list[list[Window]]:
    """Windows of like length together, at most ``_TOKENS_A_BATCH`` tokens a batch after padding."""
    groups: list[list[Window]] = []
    for window in sorted(found, key=lambda w: -len(w.tokens)):
        if groups and len(groups[-1][0].tokens) * (len(groups[-1]) + 1) <= _TOKENS_A_BATCH:
            groups[-1].append(window)
        else:
            groups.append([window])
    return groups
