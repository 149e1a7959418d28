"""Heads that are logistic regressions: solved over all labelled sentences at once, before and after the steps.

The steps tune the encoder. If the head is already good, they change no more of the encoder than helps (linear
probing, then fine-tuning: Kumar et al. 2022, arXiv:2202.10054).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from torch import Tensor

from ..models.classifier import ReportClassifier
from .examples import Example, Lower

Reading = tuple[Tensor, NDArray[np.bool_]]
"""The result of ``Lower.vectors`` for an example."""

# Inverse strengths of the penalty. A head that fits its sentences leaves nothing to the steps, so the first is weak.
BEFORE, AFTER = 0.001, 0.1


def start(model: ReportClassifier, lower: Lower, examples: Sequence[Example]) -> None:
    """Scale each element of a vector to mean 0 and deviation 1 over ``examples``, and solve a weak head.

    Encoders have a few elements that are large in every vector; under one penalty they hide the others.
    """
    read = _read(model, lower, examples)
    vectors = torch.cat([vectors for vectors, _ in read])
    normed = torch.nn.functional.layer_norm(vectors, vectors.shape[1:], eps=model.norm.eps)
    deviation, mean = torch.std_mean(normed, dim=0, correction=0)
    deviation = deviation.clamp(min=0.01)  # an element that hardly varies here may vary elsewhere
    with torch.no_grad():
        model.norm.weight.copy_(1 / deviation)
        model.norm.bias.copy_(-mean / deviation)
    _solve(model, examples, read, BEFORE)


def solve(model: ReportClassifier, lower: Lower, examples: Sequence[Example]) -> None:
    """Set the head of ``model`` to the regression over the labelled sentences of ``examples``.

    For each label, the sentences with it have the same total weight as those without. A label that all sentences have,
    or none has, is then given to every sentence or to none.
    """
    _solve(model, examples, _read(model, lower, examples), AFTER)


def _read(model: ReportClassifier, lower: Lower, examples: Sequence[Example]) -> list[Reading]:
    model.eval()
    return [lower.vectors(example) for example in examples]


def _solve(model: ReportClassifier, examples: Sequence[Example], read: Sequence[Reading], strength: float) -> None:
    found, truth = [], []
    for example, (vectors, kept) in zip(examples, read, strict=True):
        with torch.no_grad():
            features = model.features(vectors, example.outline.only(kept))
        known = example.known[kept]
        found.append(features[known.to(features.device)].float().cpu())
        truth.append(example.targets[kept][known] > 0.5)
    given, right = torch.cat(found).numpy(), torch.cat(truth).numpy()
    for row, column in enumerate(right.T):
        if column.all() or not column.any():
            odds = math.log(len(column) + 1)
            weight, bias = np.zeros(given.shape[1]), odds if column.all() else -odds
        else:
            solved = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000).fit(given, column)
            weight, bias = solved.coef_[0], float(solved.intercept_[0])
        with torch.no_grad():
            model.out.weight[row] = torch.from_numpy(weight)
            model.out.bias[row] = bias


def balance(examples: Sequence[Example]) -> Tensor:
    """(2, labels) weights with which the sentences without a label, and those with it, have the same total weight."""
    targets = torch.cat([example.targets[example.known] for example in examples])
    share = targets.mean(dim=0).clamp(min=1e-6, max=1 - 1e-6)
    return torch.stack([0.5 / (1 - share), 0.5 / share])
