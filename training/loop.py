"""The training loop: one report a step, resumable at any checkpoint, the same model for the same seed."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from ..data.errors import DataError, ModelError
from ..data.labels import DEFAULT_LABELS, LabelSet
from ..data.report import Report
from ..models.annotator import report_logits
from ..models.classifier import ReportClassifier
from ..models.decision import Decision, macro_f1
from ..models.device import choose_device, half_precision
from ..models.encoder import load_encoder
from ..models.folder import About, check_place, save_model
from ..models.runtime import TorchRuntime
from ..models.windows import SpecialTokens
from .checkpoint import load_checkpoint, save_checkpoint
from .examples import Example, Lower
from .provenance import fingerprint, versions
from .recipe import Recipe


@dataclass(frozen=True)
class Progress:
    """Where a training stands; handed to the caller's ``watch`` after every step.

    Attributes:
        step, steps: done, and in all.
        loss: mean over recent steps.
        score: macro-F1 on the validation reports after the last full pass, None before.
        stage: ``prepare`` or ``train``.
    """

    stage: str
    step: int
    steps: int
    loss: float
    score: float | None


def train(
    recipe: Recipe,
    training: Sequence[Report],
    validation: Sequence[Report],
    out: str | Path,
    *,
    labels: LabelSet = DEFAULT_LABELS,
    offline: bool = False,
    device: str | None = None,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Path:
    """Fine-tune an encoder and write a model folder.

    Killed and started again with the same arguments, it goes on from the last checkpoint (kept beside ``out``) and ends
    with the same model: every step draws its random numbers from the seed and its own number alone.

    Args:
        recipe: all settings.
        training, validation: labelled reports; validation chooses temperatures and thresholds only.
        out: the model folder to write.
        labels: the label set; its order is the order of outputs.
        offline: forbid the hub.
        device: ``cpu``, ``cuda``, …; None takes a GPU where there is one.
        watch: called after every step.

    Raises:
        DataError: no labelled sentence to learn from, or a label that never occurs.
        ModelError: the encoder is unusable, or something that is no model stands at ``out``.
        ConfigError: this machine has no such device.
    """
    out = check_place(out)
    training, validation = _labelled(training), _labelled(validation)
    _check(training, validation, labels)
    place = choose_device(device)
    torch.manual_seed(recipe.training.seed)
    encoder = load_encoder(recipe.encoder.name, offline=offline)
    if recipe.context.tokens > encoder.model.config.max_position_embeddings:
        raise ModelError(
            f"context.tokens is {recipe.context.tokens}, but encoder {encoder.name!r} has "
            f"{encoder.model.config.max_position_embeddings} positions"
        )
    special = SpecialTokens.of(encoder.tokenizer)
    model = ReportClassifier(encoder.model, len(labels), recipe.head.recurrent, recipe.head.dropout).to(place)
    frozen = min(recipe.encoder.frozen_layers, model.depth)
    _freeze(model, frozen)
    optimizer = _optimizer(model, recipe)
    bare = recipe.training.bare > 0
    examples = [Example.of(r, labels.names, encoder.tokenizer, special, recipe.context, bare=bare) for r in training]
    run = fingerprint([recipe.as_dict(), labels.names, fingerprint_reports(training), versions()])
    folder = out.with_name(f".{out.name}.training")
    checkpoint = folder / "checkpoint.safetensors"
    step = load_checkpoint(checkpoint, model, optimizer, run)
    steps = recipe.training.passes * len(examples)
    lower = Lower(model, frozen, special.pad, examples)
    prepared = 0

    def tick() -> None:
        nonlocal prepared
        prepared += 1
        watch(Progress("prepare", prepared, len(examples), math.nan, None))

    model.eval()
    lower.warm(examples, tick)
    about = About(labels, recipe.context, recipe.head.recurrent, Decision.plain(len(labels)))
    losses: list[float] = []
    score = None
    unit = sum(int(e.known.sum()) for e in examples) / len(examples)
    while step < steps:
        index = _order(len(examples), recipe.training.seed, step // len(examples))[step % len(examples)]
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * _rate(step, steps, recipe.training.warmup)
        losses.append(_step(model, optimizer, lower, examples[index], recipe, step, unit, place))
        step += 1
        if step % len(examples) == 0 and step < steps and validation:
            logits, truth = _answers(model, encoder.tokenizer, special, about, validation)
            score = macro_f1(truth, logits >= 0)
        if step % recipe.training.checkpoint_steps == 0 and step < steps:
            save_checkpoint(checkpoint, model, optimizer, step, run)
        watch(Progress("train", step, steps, float(np.mean(losses[-len(examples) :])), score))
    about = _finish(model, encoder.tokenizer, special, about, recipe, training, validation)
    save_model(out, model, encoder.tokenizer, about)
    shutil.rmtree(folder, ignore_errors=True)
    return out


def fingerprint_reports(reports: Sequence[Report]) -> str:
    """SHA-256 over names, texts and labels, in order."""
    return fingerprint([[r.doc, [[s.id, s.kind, s.text, s.labels] for s in r.sentences]] for r in reports])


def _labelled(reports: Sequence[Report]) -> list[Report]:
    """Those with at least one labelled sentence."""
    return [r for r in reports if any(s.kind == "sentence" and s.labels is not None for s in r.sentences)]


def _check(training: Sequence[Report], validation: Sequence[Report], labels: LabelSet) -> None:
    if not training:
        raise DataError(
            "there is no labelled sentence to train on; label some and pull them, or use the shipped corpus"
        )
    unknown = {n for r in (*training, *validation) for s in r.sentences for n in s.labels or ()} - set(labels.names)
    if unknown:
        raise DataError(
            f"the data have the label {min(unknown)!r}, which is not in the label set {', '.join(labels.names)}"
        )
    for name in labels.names:
        if not any(name in (s.labels or ()) for r in training for s in r.sentences):
            raise DataError(
                f"no training sentence has the label {name!r}; label some, or leave it out of the label set"
            )
    if shared := {r.doc for r in training} & {r.doc for r in validation}:
        raise DataError(f"report {min(shared)} is both in training and in validation")


def _freeze(model: ReportClassifier, layers: int) -> None:
    # The embeddings are always frozen: measured, that costs nothing and saves most of the optimizer's memory.
    for parameter in model.encoder.embeddings.parameters():
        parameter.requires_grad_(False)
    for layer in model.encoder.encoder.layer[:layers]:
        layer.requires_grad_(False)


def _optimizer(model: ReportClassifier, recipe: Recipe) -> torch.optim.Optimizer:
    body = [p for p in model.encoder.parameters() if p.requires_grad]
    inside = {id(p) for p in model.encoder.parameters()}
    head = [p for p in model.parameters() if id(p) not in inside]
    settings = recipe.training
    return torch.optim.AdamW(
        [{"params": body, "peak": settings.body_rate}, {"params": head, "peak": settings.head_rate}],
        lr=settings.body_rate,
        weight_decay=settings.weight_decay,
    )


def _rate(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate: up in a line, then down along a cosine."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def _order(count: int, seed: int, number: int) -> list[int]:
    """The order of the reports in a pass."""
    order = list(range(count))
    random.Random(f"{seed}/{number}").shuffle(order)
    return order


def _step(
    model: ReportClassifier,
    optimizer: torch.optim.Optimizer,
    lower: Lower,
    example: Example,
    recipe: Recipe,
    step: int,
    unit: float,
    place: torch.device,
) -> float:
    draw = random.Random(f"{recipe.training.seed}/step/{step}")
    torch.manual_seed(draw.getrandbits(62))  # dropout: of this step alone, so that a resumed run repeats it
    first, last = _cut(len(example.roles), draw, recipe.training.cut)
    found = example.bare if draw.random() < recipe.training.bare else example.windows
    known = example.known[first:last]
    if not known.any():
        return 0.0
    model.train()
    stretch = lower.stretch(found, first, last)
    with half_precision(place):
        unordered = model.vectors(stretch.batch, stretch.hidden, lower.layers)
        vectors = torch.zeros_like(unordered).index_copy(0, stretch.batch.units, unordered)
        logits = model.scores(vectors, example.roles[first:last].to(place)).float()
    chosen = known.to(place)
    loss = binary_cross_entropy_with_logits(
        logits[chosen], example.targets[first:last].to(place)[chosen], reduction="sum"
    )
    # Divided by a constant, so that a sentence weighs the same in a long report as in a short one.
    loss = loss / (unit * logits.shape[1])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach()) * unit / int(known.sum())


def _cut(count: int, draw: random.Random, share: float) -> tuple[int, int]:
    """A stretch of at least a quarter of the report, or all of it."""
    if draw.random() >= share or count < 8:
        return 0, count
    length = draw.randint(count // 4, count)
    # Half of the cuts keep the beginning: a report without its end is commoner than one without its title.
    first = 0 if draw.random() < 0.5 else draw.randint(0, count - length)
    return first, first + length


def _answers(
    model: ReportClassifier, tokenizer: Any, special: SpecialTokens, about: About, reports: Sequence[Report]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(sentences, labels) logits and truth over the labelled sentences of ``reports``."""
    model.eval()
    logits, truth = [], []
    runtime = TorchRuntime(model, special.pad)
    for report, scores in report_logits(runtime, tokenizer, special, about.context, reports):
        for sentence, row in zip(report.sentences, scores, strict=True):
            if sentence.kind == "sentence" and sentence.labels is not None:
                logits.append(row)
                truth.append([name in sentence.labels for name in about.labels.names])
    return np.asarray(logits), np.asarray(truth, dtype=bool)


def _finish(
    model: ReportClassifier,
    tokenizer: Any,
    special: SpecialTokens,
    about: About,
    recipe: Recipe,
    training: Sequence[Report],
    validation: Sequence[Report],
) -> About:
    decision, scores = about.decision, {}
    if validation:
        logits, truth = _answers(model, tokenizer, special, about, validation)
        decision = Decision.fit(logits, truth)
        given = decision.choose(decision.probabilities(logits))
        scores = {"validation": {"macro_f1": round(macro_f1(truth, given), 4), "sentences": len(truth)}}
    origin = {
        "recipe": recipe.as_dict(),
        "data": {
            "fingerprint": fingerprint_reports(training),
            "training": [r.doc for r in training],
            "validation": [r.doc for r in validation],
        },
        "versions": versions(),
    }
    return About(about.labels, about.context, about.recurrent, decision, origin, scores)
