"""What validation reports say of a model: its score while it learns, its decision rule when it has learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..data.report import Report
from ..models.annotator import report_logits
from ..models.classifier import ReportClassifier
from ..models.decision import Decision, macro_f1
from ..models.device import half_precision
from ..models.folder import About
from ..models.runtime import TorchRuntime
from ..models.windows import SpecialTokens
from .examples import Example, Lower

# A label with fewer validation sentences (or fewer without it) has no threshold of its own: it would be an accident.
ENOUGH = 20


def score(model: ReportClassifier, lower: Lower, examples: Sequence[Example]) -> float:
    """Macro-F1 over the labelled sentences of ``examples`` with every threshold at one half."""
    model.eval()
    given, truth = [], []
    for example in examples:
        stretch = lower.stretch(example.windows, 0, len(example.roles))
        assert stretch is not None  # it has labelled sentences, so it has windows
        with torch.no_grad(), half_precision(lower.device):
            vectors = model.vectors(stretch.batch, stretch.hidden, lower.layers)  # windows in order, so units too
            logits = model.scores(vectors, example.roles.to(lower.device)).float().cpu()
        given.append(logits[example.known].numpy() >= 0)
        truth.append(example.targets[example.known].numpy() > 0)
    return macro_f1(np.concatenate(truth), np.concatenate(given))


def answers(
    model: ReportClassifier, tokenizer: Any, about: About, reports: Sequence[Report]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(sentences, labels) logits and truth over the labelled sentences of ``reports``, read as an annotator reads."""
    model.eval()
    special = SpecialTokens.of(tokenizer)
    logits, truth = [], []
    runtime = TorchRuntime(model, special.pad)
    for report, scores in report_logits(runtime, tokenizer, special, about.context, reports):
        for sentence, row in zip(report.sentences, scores, strict=True):
            if sentence.kind == "sentence" and sentence.labels is not None:
                logits.append(row)
                truth.append([name in sentence.labels for name in about.labels.names])
    return np.asarray(logits), np.asarray(truth, dtype=bool)


def decide(logits: NDArray[np.float32], truth: NDArray[np.bool_]) -> Decision:
    """The decision rule for validation ``logits`` and ``truth``, both (sentences, labels).

    Labels with too few cases to choose by share one temperature and one threshold, chosen over all labels together;
    where even those are too few, nothing is calibrated and one half decides.
    """
    own = Decision.fit(logits, truth)
    cases = np.minimum(truth.sum(axis=0), (~truth).sum(axis=0))
    shared = Decision.fit(logits.reshape(-1, 1), truth.reshape(-1, 1)) if cases.sum() >= ENOUGH else Decision.plain(1)

    def chosen(own: Sequence[float], shared: float) -> tuple[float, ...]:
        return tuple(value if count >= ENOUGH else shared for value, count in zip(own, cases, strict=True))

    return replace(
        own,
        temperatures=chosen(own.temperatures, shared.temperatures[0]),
        thresholds=chosen(own.thresholds, shared.thresholds[0]),
    )
