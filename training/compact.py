"""A model in a quarter of the size, published only where measuring shows that it says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.errors import DataError, ModelError
from ..data.report import Report
from ..models.annotator import Annotator
from ..models.decision import Decision, macro_f1
from ..models.folder import check_place, load_model, save_model
from .sources import labelled
from .validation import answers, decided

MOST_LOST = 0.003
"""Macro-F1 that eight bits may cost."""


@dataclass(frozen=True)
class Parity:
    """How far two forms of a model agree on the labelled sentences of some reports.

    Attributes:
        sentences: how many.
        difference: the largest difference of a probability.
        changed: share of sentences with another set of labels, 0 to 1.
        before, after: macro-F1.
    """

    sentences: int
    difference: float
    changed: float
    before: float
    after: float

    @classmethod
    def of(
        cls,
        truth: NDArray[np.bool_],
        before: tuple[Decision, NDArray[np.float32]],
        after: tuple[Decision, NDArray[np.float32]],
    ) -> Parity:
        """Compare decision rules with logits (sentences, labels)."""
        (one, other) = (decision.probabilities(logits) for decision, logits in (before, after))
        given, changed = before[0].choose(one), after[0].choose(other)
        return cls(
            len(truth),
            float(np.abs(one - other).max()),
            float((given != changed).any(axis=1).mean()),
            macro_f1(truth, given),
            macro_f1(truth, changed),
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, rounded."""
        return {
            "sentences": self.sentences,
            "largest_difference": round(self.difference, 4),
            "changed": round(self.changed, 4),
            "macro_f1": {"float": round(self.before, 4), "int8": round(self.after, 4)},
        }


def compact(model: str | Path, validation: Sequence[Report], out: str | Path) -> Parity:
    """Write ``model`` with int8 matrices to the folder ``out``, its decision rule chosen anew on ``validation``.

    Raises:
        DataError: nothing in ``validation`` is labelled.
        ModelError: the model is unusable, its encoder is not BERT's, or eight bits cost more than :data:`MOST_LOST`;
            then nothing is written.
    """
    model, out = Path(model), check_place(out)
    validation = labelled(validation)
    if not validation:
        raise DataError("there is no labelled sentence to measure on; name labelled records with --data")
    annotator = Annotator.load(model, device="cpu")
    logits, truth = answers(annotator.runtime, annotator.tokenizer, annotator.about, validation)
    before = annotator.about.decision, logits
    network, tokenizer, about = load_model(model)
    with TemporaryDirectory() as folder:
        save_model(Path(folder) / "int8", network, tokenizer, about, compact=True)
        small = Annotator.load(Path(folder) / "int8", device="cpu")
        logits, _ = answers(small.runtime, tokenizer, about, validation)
        del small  # Windows removes no file that is open
    about = decided(about, logits, truth)
    parity = Parity.of(truth, before, (about.decision, logits))
    if parity.before - parity.after > MOST_LOST:
        raise ModelError(
            f"eight bits cost {model} {100 * (parity.before - parity.after):.1f} points of macro-F1, more than "
            f"{100 * MOST_LOST:.1f}; keep it as it is"
        )
    save_model(out, network, tokenizer, replace(about, scores={**about.scores, "int8": parity.as_dict()}), compact=True)
    return parity
