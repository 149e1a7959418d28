"""Writes a model in a quarter of its size, but only if measurements show that it gives the same answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError, ModelError
from ..base.scores import macro_f1
from ..base.scratch import scratch, sweep
from ..data.report import Report, labelled
from ..models.about import learned
from ..models.annotator import Annotator
from ..models.config import read_config
from ..models.decision import Decision
from ..models.files import CONFIG
from ..models.folder import check_place, load_about, load_model, reserved, save_model
from ..models.graph import has_graph
from ..models.windows import Windower
from .examples import Example
from .sources import check_labels
from .validation import answers, decide, decided

MOST_LOST = 0.003
"""The most macro-F1 that eight bits may cost."""


@dataclass(frozen=True)
class Parity:
    """How far two forms of a model agree on the labelled sentences of some reports.

    Attributes:
        sentences: the number of sentences.
        difference: the largest difference of a probability.
        changed: share of sentences with a different set of labels, 0 to 1.
        before, after: macro-F1.
        left_out: labelled reports that were not used, since the model was trained on them.
    """

    sentences: int
    difference: float
    changed: float
    before: float
    after: float
    left_out: int = 0

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
            "left_out": self.left_out,
        }


def compact(model: str | Path, validation: Sequence[Report], out: str | Path) -> Parity:
    """Write ``model`` with int8 matrices to the folder ``out``; its decision rule is chosen again on ``validation``.

    Both forms are compared under rules that are chosen the same way; labels with too few cases keep their rule. Reports
    that the model was trained on are left out, because it is too certain about them.

    Raises:
        DataError: nothing in ``validation`` is labelled, the model was trained on all of it, or it has other labels.
        ModelError: the model is unusable or is at ``out``, another process is making a model there, its encoder is not
            BERT's, or eight bits cost more than :data:`MOST_LOST`; then nothing is written.
    """
    model, out = Path(model), check_place(out, [model])
    about = load_about(model)
    if not has_graph(read_config(model / CONFIG)):
        raise ModelError(f"the encoder of {model} is not BERT's, the only kind that runs in eight bits; keep it")
    given = labelled(validation)
    check_labels(given, about.labels)
    taught = learned(about.origin)
    validation = [report for report in given if report.doc not in taught]
    if not validation:
        why = f" that {model} was not trained on" if given else ""
        raise DataError(f"there is no labelled sentence to measure on{why}; name labelled records with --data")
    sweep()
    with reserved(out, [model]):
        annotator = Annotator.load(model, device="cpu")
        windower = Windower(annotator.tokenizer, about.context)
        examples = [Example.of(report, about.labels.names, windower, bare=False) for report in validation]
        logits, truth = answers(annotator.runtime, examples)
        before = decide(logits, truth, about.decision), logits
        network, tokenizer, _ = load_model(model)
        with scratch() as folder:
            save_model(folder / "int8", network, tokenizer, about, compact=True)
            small = Annotator.load(folder / "int8", device="cpu")
            logits, _ = answers(small.runtime, examples)
            del small  # Windows cannot remove an open file
        about = decided(about, logits, truth, about.decision)
        parity = replace(Parity.of(truth, before, (about.decision, logits)), left_out=len(given) - len(validation))
        if parity.before - parity.after > MOST_LOST:
            raise ModelError(
                f"eight bits cost {model} {100 * (parity.before - parity.after):.1f} points of macro-F1, more than "
                f"{100 * MOST_LOST:.1f}; keep it as it is"
            )
        about = replace(about, scores={**about.scores, "int8": parity.as_dict()})
        save_model(out, network, tokenizer, about, compact=True)
    return parity
