"""Training: from a recipe and labelled reports to a model folder; resumable, and deterministic for a seed."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..base.errors import DataError
from ..base.files import leftovers
from ..data.labels import DEFAULT_LABELS, LabelSet
from ..data.report import Report, labelled
from ..models.about import About, learned
from ..models.decision import Decision
from ..models.folder import check_place, reserved, save_model
from ..models.runtime import TorchRuntime
from ..models.windows import SpecialTokens, Windower
from . import regression
from .checkpoint import load_checkpoint, save_checkpoint
from .distributed import ProcessGroup, joined, rank
from .examples import Example, Lower
from .provenance import fingerprint, fingerprint_data, fingerprint_reports, recorded, versions
from .recipe import Recipe
from .schedule import Schedule
from .sources import check_labels
from .start import Start, load_start
from .step import Stepper, freeze, make_optimizer
from .validation import answers, decided, score


@dataclass(frozen=True)
class Progress:
    """The progress of a training, passed to the caller's ``watch`` after every step.

    Attributes:
        stage: ``ask`` (teachers), ``resume`` (once, when it continues from a checkpoint), ``prepare`` or ``train``.
        step, steps: finished steps, and all steps.
        loss: mean over recent steps.
        score: macro-F1 on the validation reports at the last measurement, None before the first.
    """

    stage: str
    step: int
    steps: int
    loss: float
    score: float | None


Watch = Callable[[Progress], None]


def train(
    recipe: Recipe,
    training: Sequence[Report],
    validation: Sequence[Report],
    out: str | Path,
    *,
    labels: LabelSet = DEFAULT_LABELS,
    sources: Mapping[str, Any] | None = None,
    offline: bool = False,
    device: str | None = None,
    watch: Watch = lambda _: None,
) -> Path:
    """Fine-tune an encoder or a model and write a model folder.

    If it is killed and started again with the same arguments, it continues from the last checkpoint (stored beside
    ``out``) and ends with the same model: every step draws its random numbers from the seed and its own number alone.
    Started by torchrun or accelerate, the processes share the reports of each step, and process 0 writes the model.

    Args:
        recipe: all settings.
        training, validation: labelled reports; validation chooses temperatures and thresholds, and the stopping point
            if the recipe has ``patience``.
        out: the model folder to write.
        labels: the label set; its order is the order of outputs.
        sources: where the reports come from (``Sources.origin``), recorded so that the training can be repeated.
        offline: do not use the hub.
        device: ``cpu``, ``cuda``, …; None uses a GPU if there is one.
        watch: called after every step.

    Raises:
        DataError: there is no labelled sentence to learn from, or a label never occurs.
        ModelError: the encoder or model to start from is unusable or is at ``out``, something other than a model is
            there, or another process is making a model there.
        ConfigError: this machine has no such device.
    """
    started_from = [recipe.encoder.folder] if recipe.encoder.folder else []
    out = check_place(out, started_from)
    training, validation = labelled(training), labelled(validation)
    check_data(training, validation, labels)
    with reserving(out, started_from), joined(device) as ranks:
        recipe = shared_steps(recipe, ranks)
        start = load_start(recipe, labels.names, offline=offline)
        about = untrained(recipe, labels, describe(recipe, start, training, validation, sources, ranks))
        windower, bare = Windower(start.tokenizer, recipe.context), recipe.training.heading_dropout > 0
        examples = [Example.of(report, labels.names, windower, bare=bare) for report in training]
        learn(recipe, start, examples, validation, about, out, ranks, watch)
    return out


def untrained(recipe: Recipe, labels: LabelSet, origin: Mapping[str, Any]) -> About:
    """The ``About`` of a model made by ``recipe``, before validation reports choose its decision rule."""
    head, decision = recipe.head, Decision.plain(len(labels))
    return About(labels, recipe.context, head.recurrent, decision, head.regression, dict(origin))


def shared_steps(recipe: Recipe, ranks: ProcessGroup) -> Recipe:
    """``recipe`` with the number of reports per step rounded up so that ``ranks`` can share them evenly."""
    shared = math.ceil(recipe.training.reports / ranks.count) * ranks.count
    return replace(recipe, training=replace(recipe.training, reports=shared))


def describe(
    recipe: Recipe,
    start: Start,
    training: Sequence[Report],
    validation: Sequence[Report],
    sources: Mapping[str, Any] | None,
    ranks: ProcessGroup,
    *,
    unlabelled: Sequence[Report] = (),
    teachers: Sequence[About] = (),
) -> dict[str, Any]:
    """How a model is made, for ``About.origin``."""
    own = {r.doc for r in (*training, *unlabelled)}
    taught = {
        "teachers": [teacher.fingerprint for teacher in teachers],
        "unlabelled": {"reports": [r.doc for r in unlabelled], "fingerprint": fingerprint_reports(unlabelled)},
    }
    settings = recipe.as_dict()
    if (path := Path(recipe.encoder.name)).is_absolute():
        settings["encoder"]["name"] = f"./{recorded(path)}"  # with the dot it cannot be a hub id
    return {
        "recipe": settings,
        "start": start.fingerprint,
        "data": {
            "fingerprint": fingerprint_data(training, validation),
            "training": [r.doc for r in training],
            "validation": [r.doc for r in validation],
            "earlier": sorted(start.learned.union(*(learned(teacher.origin) for teacher in teachers)) - own),
            **({} if sources is None else {"sources": sources}),
        },
        "versions": versions(),
        "machine": {"device": ranks.device.type, "threads": torch.get_num_threads(), "processes": ranks.count},
        **(taught if teachers else {}),
    }


def learn(
    recipe: Recipe,
    start: Start,
    examples: Sequence[Example],
    validation: Sequence[Report],
    about: About,
    out: Path,
    ranks: ProcessGroup,
    watch: Watch,
) -> None:
    """Train ``start.model`` on ``examples``, choose its decision rule on ``validation`` and write it to ``out``.

    Checkpoints are stored beside ``out`` until it is written.
    """
    windower = Windower(start.tokenizer, about.context)
    judged = [Example.of(report, about.labels.names, windower, bare=False) for report in validation]
    measured: Sequence[Example] = judged
    if about.regression:
        examples, measured = ([example.narrowed() for example in some] for some in (examples, judged))
    _steps(recipe, start, examples, measured, about, training_folder(out), ranks, watch)
    if judged:
        about = decided(about, *answers(TorchRuntime(start.model.eval(), windower.special.pad), judged))
    if ranks.first:
        save_model(out, start.model, start.tokenizer, about)
        shutil.rmtree(training_folder(out), ignore_errors=True)
    ranks.wait()


@contextmanager
def reserving(out: Path, sources: Sequence[Path]) -> Iterator[None]:
    """Lock ``out`` for the model that this process, and its group, make from ``sources``.

    Raises:
        ModelError: as in :func:`.folder.reserved`.
    """
    if rank() > 0:  # process 0 holds the lock for all
        yield
        return
    with reserved(out, sources):
        for part in list(leftovers(training_folder(out))):
            part.unlink(missing_ok=True)
        yield


def training_folder(out: Path) -> Path:
    """The folder where a training that writes to ``out`` stores what it needs to continue."""
    return out.with_name(f".{out.name}.training")


def _steps(
    recipe: Recipe,
    start: Start,
    examples: Sequence[Example],
    measured: Sequence[Example],
    about: About,
    folder: Path,
    ranks: ProcessGroup,
    watch: Watch,
) -> None:
    model, settings = start.model.to(ranks.device), recipe.training
    frozen = recipe.encoder.frozen_layers
    freeze(model, frozen)
    optimizer = make_optimizer(model, recipe)
    run = fingerprint([about.labels.names, *(v for k, v in sorted(about.origin.items()) if k != "machine")])
    checkpoint = folder / "checkpoint.safetensors"
    state = load_checkpoint(checkpoint, model, optimizer, run)
    schedule = Schedule(len(examples), settings)
    if state.step:
        watch(Progress("resume", state.step, schedule.steps, math.nan, None))
    lower = Lower(model, frozen, SpecialTokens.of(start.tokenizer).pad, [*examples, *measured])
    model.eval()
    for number, example in enumerate([*examples, *measured], 1):
        lower.warm(example)
        watch(Progress("prepare", number, len(examples) + len(measured), math.nan, None))
    if model.regression and not state.step:
        regression.start(model, lower, examples)
        ranks.share(model)  # their own solutions may differ in the last digits
    stepper = Stepper(model, optimizer, lower, examples, schedule, ranks)
    losses: list[float] = []
    while state.step < schedule.steps and not (settings.patience and state.stale >= settings.patience):
        losses.append(stepper.step(state.step))
        state.step += 1
        ended = state.step == schedule.steps
        if measured and (settings.patience if ended else state.step % schedule.period == 0):
            state.note(score(model, lower, measured), model if settings.patience else None)
        if ranks.first and state.step % settings.checkpoint_steps == 0 and not ended:
            save_checkpoint(checkpoint, model, optimizer, state, run)
        recent = float(np.mean(losses[-schedule.period :]))
        watch(Progress("train", state.step, schedule.steps, recent, state.scores[-1] if state.scores else None))
    model.load_state_dict(state.best, strict=False)
    if model.regression:
        regression.solve(model, lower, examples)


def check_data(
    training: Sequence[Report], validation: Sequence[Report], labels: LabelSet, *, every: bool = True
) -> None:
    """Check that the reports can be trained on; with ``every``, each label must occur.

    Raises:
        DataError: they cannot.
    """
    if not training:
        raise DataError(
            "there is no labelled sentence to train on; label some and pull them, or use the shipped corpus"
        )
    check_labels([*training, *validation], labels)
    for name in labels.names if every else ():
        if not any(name in (s.labels or ()) for r in training for s in r.sentences):
            raise DataError(
                f"no training sentence has the label {name!r}; label some, or leave it out of the label set"
            )
    if shared := {r.doc for r in training} & {r.doc for r in validation}:
        raise DataError(f"report {min(shared)} is both in training and in validation")
