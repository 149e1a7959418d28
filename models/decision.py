"""From logits to labels: a temperature and a threshold for each label, both chosen on validation reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Decision:
    """The decision rule.

    Attributes:
        temperatures: one per label, above 0; probability = sigmoid(logit / temperature) (Guo et al. 2017).
        thresholds: one per label, between 0 and 1; a sentence gets a label whose probability reaches it.
        review_below: answers with a :meth:`confidence` below it need a person's review; 0 selects none.
    """

    temperatures: tuple[float, ...]
    thresholds: tuple[float, ...]
    review_below: float = 0.0

    def probabilities(self, logits: Floats) -> Floats:
        """(sentences, labels) probabilities of (sentences, labels) logits."""
        scaled = np.clip(logits / np.asarray(self.temperatures), -60, 60)
        result: Floats = 1 / (1 + np.exp(-scaled))
        return result

    def choose(self, probabilities: Floats) -> NDArray[np.bool_]:
        """(sentences, labels), True where the sentence gets the label."""
        result: NDArray[np.bool_] = probabilities >= np.asarray(self.thresholds)
        return result

    def confidence(self, probabilities: Floats) -> Floats:
        """(sentences,) the probability, 0 to 1, that all labels of a sentence are right, assuming independence."""
        given = self.choose(probabilities)
        result: Floats = np.where(given, probabilities, 1 - probabilities).prod(axis=1)
        return result

    def review(self, probabilities: Floats) -> NDArray[np.bool_]:
        """(sentences,) True where a person should look."""
        result: NDArray[np.bool_] = self.confidence(probabilities) < self.review_below
        return result

    @classmethod
    def plain(cls, labels: int) -> Decision:
        """No calibration, and one half as every threshold."""
        return cls((1.0,) * labels, (0.5,) * labels)

    @classmethod
    def fit(cls, logits: Floats, truth: NDArray[np.bool_]) -> Decision:
        """Choose temperatures by likelihood and thresholds by F1 on validation ``logits`` and ``truth``.

        A threshold leaves one half only if that raises F1: among equal F1 the nearest to one half is taken. The search
        stays within 0.25 and 0.75, so that a small validation set cannot lead it astray.
        """
        temperatures = tuple(_temperature(logits[:, i], truth[:, i]) for i in range(truth.shape[1]))
        probabilities = cls(temperatures, (0.5,) * truth.shape[1]).probabilities(logits)
        return cls(temperatures, tuple(_threshold(probabilities[:, i], truth[:, i]) for i in range(truth.shape[1])))

    def reviewing(self, logits: Floats, share: float = 0.1) -> Decision:
        """The same rule, with :attr:`review_below` by which ``share`` (0 to 1) of validation ``logits`` need review."""
        confidence = self.confidence(self.probabilities(logits))
        return replace(self, review_below=float(round(np.quantile(confidence, share), 4)))


def _temperature(logits: Floats, truth: NDArray[np.bool_]) -> float:
    if truth.all() or not truth.any():
        return 1.0
    from scipy.optimize import minimize_scalar

    signed = np.where(truth, -logits, logits).astype(np.float64)
    found = minimize_scalar(
        lambda rise: np.logaddexp(0.0, signed / np.exp(rise)).mean(), bounds=np.log((0.25, 4.0)), method="bounded"
    )
    return float(round(np.exp(found.x), 4))


def _threshold(probabilities: Floats, truth: NDArray[np.bool_]) -> float:
    grid: Sequence[float] = sorted((round(0.25 + 0.01 * i, 2) for i in range(51)), key=lambda t: abs(t - 0.5))
    scores = []
    for threshold in grid:
        given = probabilities >= threshold
        scores.append(2 * (given & truth).sum() / max(1, given.sum() + truth.sum()))
    return grid[int(np.argmax(scores))]
