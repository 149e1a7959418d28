"""A loaded model that labels reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.errors import ModelError
from ..data.read import read_report
from ..data.report import Report
from .device import choose_device, half_precision
from .folder import About, load_model
from .places import default_model
from .windows import SpecialTokens, Unit, Window, units, windows

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
        doubted = self.about.decision.review(probabilities)
        labels: list[tuple[str, ...]] = []
        scores: list[dict[str, float] | None] = []
        review: list[bool] = []
        for sentence, row, yes, doubt in zip(report.sentences, probabilities, given, doubted, strict=True):
            answered = sentence.kind == "sentence"
            labels.append(tuple(n for n, y in zip(names, yes, strict=True) if y) if answered else ())
            scores.append(dict(zip(names, map(float, row), strict=True)) if answered else None)
            review.append(answered and bool(doubt))
        return report.with_labels(labels, scores, review)

    def annotate_many(self, reports: Iterable[Report]) -> Iterator[Report]:
        """:meth:`annotate` for each of ``reports``, in order and lazily: a few reports are held at a time."""
        yield from map(self.annotate, reports)

    def vectors(self, report: Report) -> NDArray[np.float32]:
        """(report.sentences, hidden) what the encoder makes of each sentence in its window; zeros for furniture."""
        parts, found = _vectors(self.model, self.tokenizer, self._special, self.about, report)
        result = np.zeros((len(report.sentences), self.model.encoder.config.hidden_size), dtype=np.float32)
        if parts:
            result[[part.index for part in parts]] = found.cpu().numpy()
        return result

    def logits(self, report: Report) -> NDArray[np.float32]:
        """Raw scores (report.sentences, labels); zeros for furniture."""
        return report_logits(self.model, self.tokenizer, self._special, self.about, report)


def report_logits(
    model: ReportClassifier, tokenizer: Tokenizer, special: SpecialTokens, about: About, report: Report
) -> NDArray[np.float32]:
    """Raw scores of ``model`` for every entry of ``report.sentences``; zeros for furniture."""
    import torch

    result = np.zeros((len(report.sentences), len(about.labels)), dtype=np.float32)
    parts, vectors = _vectors(model, tokenizer, special, about, report)
    if not parts:
        return result
    with torch.inference_mode(), half_precision(vectors.device):
        roles = torch.tensor([part.role for part in parts], device=vectors.device)
        scores = model.scores(vectors, roles).float().cpu().numpy()
    result[[part.index for part in parts]] = scores
    return result


def _vectors(
    model: ReportClassifier, tokenizer: Tokenizer, special: SpecialTokens, about: About, report: Report
) -> tuple[list[Unit], torch.Tensor]:
    """The report's units and a vector for each."""
    import torch

    from .classifier import Batch

    parts = units(report, tokenizer, about.context)
    device = next(model.parameters()).device
    vectors = torch.zeros((len(parts), model.encoder.config.hidden_size), device=device)
    with torch.inference_mode(), half_precision(device):
        for group in _batches(windows(report, parts, tokenizer, special, about.context)):
            batch = Batch.of(group, special.pad, device)
            vectors[batch.units] = model.vectors(batch).float()
    return parts, vectors


def _batches(found: Sequence[Window]) -> list[list[Window]]:
    """Windows of like length together, at most ``_TOKENS_A_BATCH`` tokens a batch after padding."""
    groups: list[list[Window]] = []
    for window in sorted(found, key=lambda w: -len(w.tokens)):
        if groups and len(groups[-1][0].tokens) * (len(groups[-1]) + 1) <= _TOKENS_A_BATCH:
            groups[-1].append(window)
        else:
            groups.append([window])
    return groups
