"""Decides which labelled reports a model may be scored on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..base.errors import DataError
from ..data.report import Report, labelled
from ..models.about import learned


@dataclass(frozen=True)
class Division:
    """Labelled reports, divided by their use in training the model.

    Attributes:
        scored: reports to score it on.
        learned: left out, because it or its base model was trained on them.
        validation: left out, because its stopping point, temperatures and thresholds were chosen on them.
        flattering: whether ``scored`` are such validation reports, because there are no others.
    """

    scored: tuple[Report, ...]
    learned: tuple[Report, ...] = ()
    validation: tuple[Report, ...] = ()
    flattering: bool = False

    def notes(self) -> list[str]:
        """One sentence for each caveat that a reader of the figures must know."""
        notes = []
        if self.learned:
            notes.append(f"{_count(self.learned)} left out: the model was trained on them")
        if self.validation:
            notes.append(f"{_count(self.validation)} left out: the model's thresholds were chosen on them")
        if self.flattering:
            notes.append(
                f"the figures flatter: no report here is new to the model, so it is scored on {_count(self.scored)} "
                "that its thresholds and stopping point were chosen on; label some that it has not seen"
            )
        return notes


def divide(reports: Iterable[Report], origin: Mapping[str, Any]) -> Division:
    """Divide the ``reports`` that have a labelled sentence by their names in ``origin`` (``About.origin``).

    Raises:
        DataError: nothing is labelled, or the model was trained on all of them.
    """
    asked = labelled(reports)
    if not asked:
        raise DataError("there is no labelled sentence to evaluate on")
    taught = learned(origin)
    tuned = set(origin.get("data", {}).get("validation", ())) - taught
    known = tuple(r for r in asked if r.doc in taught)
    validation = tuple(r for r in asked if r.doc in tuned)
    unseen = tuple(r for r in asked if r.doc not in taught | tuned)
    if unseen:
        return Division(unseen, known, validation)
    if validation:
        return Division(validation, known, flattering=True)
    raise DataError(
        f"the model was trained on all {len(asked)} labelled reports here; "
        "label reports that it has not seen and evaluate it on those"
    )


def _count(reports: tuple[Report, ...]) -> str:
    return f"{len(reports)} report{'s' if len(reports) > 1 else ''}"
