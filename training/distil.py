"""Distillation: a small model learns the answers of larger ones, on labelled and, if available, unlabelled reports.

After Hinton et al. (2015, arXiv:1503.02531) for the probabilities and Sun et al. (2019, arXiv:1908.09355) for the
vectors: the student starts with some of the first teacher's layers and its head, and learns the teachers' mean
probability of every label and the first teacher's vector of every unit. Unlabelled reports serve as well as labelled
ones for that, and offices have many of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.errors import ConfigError
from ..data.labels import LabelSet
from ..data.report import Report, labelled
from ..models.folder import check_place, load_about
from ..models.windows import Windower
from .distributed import joined
from .examples import Example
from .loop import Progress, check_data, describe, learn, reserving, shared_steps, training_folder, untrained
from .recipe import Recipe
from .start import load_start
from .teacher import lessons, taught


def distil(
    recipe: Recipe,
    teachers: Sequence[Path],
    training: Sequence[Report],
    validation: Sequence[Report],
    unlabelled: Sequence[Report],
    out: str | Path,
    labels: LabelSet,
    *,
    sources: Mapping[str, Any] | None = None,
    device: str | None = None,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Path:
    """Train a student and write its model folder; if killed and started again, it ends with the same model.

    Args:
        recipe: ``encoder.layers`` is the student's number of layers; ``training.hard_label_weight`` and
            ``training.vector_loss_weight`` weigh the sources that it learns from; ``encoder.name`` must be the first
            teacher's folder.
        teachers: model folders with the same labels.
        training, validation: labelled reports; validation chooses temperatures and thresholds only.
        unlabelled: reports whose labels, if any, are ignored.
        out: the model folder to write.
        labels: the label set.
        sources, device, watch: as in :func:`.loop.train`.

    Raises:
        DataError: there is no labelled sentence to learn from, or a report is in both training and validation.
        ModelError: a teacher is unusable or is at ``out``, something other than a model is there, or another process is
            making a model there.
        ConfigError: ``encoder.name`` is not a model, ``encoder.layers`` is not fewer than it has (0 keeps them all), or
            this machine has no such device.
    """
    out = check_place(out, teachers)
    if recipe.encoder.folder is None:
        raise ConfigError(f"encoder.name is {recipe.encoder.name!r}, expected the folder of the first teacher")
    training, validation = labelled(training), labelled(validation)
    check_data([*training, *unlabelled], validation, labels, every=False)
    with reserving(out, teachers), joined(device) as ranks:
        recipe = shared_steps(recipe, ranks)
        start = load_start(recipe, labels.names)
        if recipe.encoder.layers == start.depth:
            half = max(1, start.depth // 2)
            raise ConfigError(
                f"encoder.layers is {start.depth}, which is all layers of {recipe.encoder.name}; "
                f"for a smaller model set fewer: --set encoder.layers={half} --set encoder.frozen_layers={half // 2}"
            )
        known = [load_about(teacher) for teacher in teachers]
        made = describe(recipe, start, training, validation, sources, ranks, unlabelled=unlabelled, teachers=known)
        about = untrained(recipe, labels, made)
        reports = [*training, *(r.with_labels([None for _ in r.sentences]) for r in unlabelled)]
        asked = 0

        def tick() -> None:
            nonlocal asked
            asked += 1
            watch(Progress("ask", asked, len(teachers) * len(reports), math.nan, None))

        answers = lessons(teachers, reports, labels.names, training_folder(out) / "lessons", ranks.device, tick)
        windower, settings = Windower(start.tokenizer, recipe.context), recipe.training
        examples = []
        for report, lesson in zip(reports, answers, strict=True):
            example = Example.of(report, labels.names, windower, bare=settings.heading_dropout > 0)
            sentences = [report.sentences[place].kind == "sentence" for place in example.places]
            examples.append(taught(example, lesson, sentences, settings.hard_label_weight))
        learn(recipe, start, examples, validation, about, out, ranks, watch)
    return out
