"""Uses validation reports to score a model during training and to choose its decision rule afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from ..base.scores import macro_f1
from ..models.about import About
from ..models.classifier import ReportClassifier
from ..models.decision import Decision
from ..models.device import half_precision
from ..models.runtime import Runtime
from .examples import Example, Lower

# A label with fewer validation sentences (or fewer without it) has no threshold of its own: it would be due to chance.
ENOUGH = 20


def score(model: ReportClassifier, lower: Lower, examples: Sequence[Example]) -> float:
    """Macro-F1 over the labelled sentences of ``examples`` with every threshold at one half."""
    model.eval()
    given, truth = [], []
    for example in examples:
        vectors, kept = lower.vectors(example)
        with torch.no_grad(), half_precision(lower.device):
            logits = model.scores(vectors, example.outline.only(kept)).float().cpu()
        known = example.known[kept]
        given.append(logits[known].numpy() >= 0)
        truth.append(example.targets[kept][known].numpy() > 0)
    return macro_f1(np.concatenate(truth), np.concatenate(given))


def answers(runtime: Runtime, examples: Sequence[Example]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(sentences, labels) logits and truth over the labelled sentences of whole reports, read as an annotator does."""
    logits, truth = [], []
    for example, vectors in runtime.encode((example, example.windows) for example in examples):
        known = example.known.numpy()
        logits.append(runtime.scores(vectors, example.outline)[known])
        truth.append(example.targets.numpy()[known] > 0)
    return np.concatenate(logits), np.concatenate(truth)


def decide(logits: NDArray[np.float32], truth: NDArray[np.bool_], old: Decision | None = None) -> Decision:
    """The decision rule for validation ``logits`` and ``truth``, both (sentences, labels).

    Labels with too few cases keep the values of ``old``. Without ``old`` they share one temperature and one threshold,
    chosen over all labels together; if even those cases are too few, nothing is calibrated and the threshold is one
    half.
    """
    count = truth.shape[1]
    cases = np.minimum(truth.sum(axis=0), (~truth).sum(axis=0))
    if cases.sum() < ENOUGH:
        return old or Decision.plain(count)
    own = Decision.fit(logits, truth)
    if old is None:
        shared = Decision.fit(logits.reshape(-1, 1), truth.reshape(-1, 1))
        old = Decision(shared.temperatures * count, shared.thresholds * count)

    def chosen(own: Sequence[float], old: Sequence[float]) -> tuple[float, ...]:
        return tuple(a if n >= ENOUGH else b for a, b, n in zip(own, old, cases, strict=True))

    rule = Decision(chosen(own.temperatures, old.temperatures), chosen(own.thresholds, old.thresholds))
    return rule.reviewing(logits)


def decided(about: About, logits: NDArray[np.float32], truth: NDArray[np.bool_], old: Decision | None = None) -> About:
    """``about`` with :func:`decide`'s rule for validation ``logits`` and ``truth``, and its scores there."""
    decision = decide(logits, truth, old)
    given = decision.choose(decision.probabilities(logits))
    scores = {"macro_f1": round(macro_f1(truth, given), 4), "sentences": len(truth)}
    return replace(about, decision=decision, scores={**about.scores, "validation": scores})
