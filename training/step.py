"""One step of training: a part of each of its reports, the loss of their labelled sentences, an optimizer update."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ..models.classifier import ReportClassifier
from ..models.device import half_precision
from .distributed import ProcessGroup
from .examples import Example, Lower, holding
from .recipe import Recipe, TrainingSettings
from .regression import balance
from .schedule import Schedule, Visit


def freeze(model: ReportClassifier, layers: int) -> None:
    """Freeze the embeddings and the lowest ``layers`` layers."""
    # The embeddings are always frozen: measurements show no loss, and it saves most of the optimizer's memory.
    for parameter in model.encoder.embeddings.parameters():
        parameter.requires_grad_(False)
    for layer in model.encoder.encoder.layer[:layers]:
        layer.requires_grad_(False)


def make_optimizer(model: ReportClassifier, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW over the parameters that are not frozen; each group's ``peak`` is its highest learning rate."""
    body = [p for p in model.encoder.parameters() if p.requires_grad]
    inside = {id(p) for p in model.encoder.parameters()}
    head = [p for p in model.parameters() if id(p) not in inside]
    settings = recipe.training
    return torch.optim.AdamW(
        [{"params": body, "peak": settings.encoder_lr}, {"params": head, "peak": settings.head_lr}],
        lr=settings.encoder_lr,
        weight_decay=settings.weight_decay,
        fused=True,
    )


@dataclass(frozen=True)
class Stepper:
    """Runs the steps of one training."""

    model: ReportClassifier
    optimizer: torch.optim.Optimizer
    lower: Lower
    examples: Sequence[Example]
    schedule: Schedule
    ranks: ProcessGroup

    @cached_property
    def unit(self) -> float:
        """Mean number of labelled sentences per visit."""
        most = self.schedule.settings.sentences or math.inf
        return sum(min(int(e.known.sum()), most) for e in self.examples) / len(self.examples)

    @cached_property
    def balance(self) -> Tensor | None:
        """Weights (2, labels) of sentences without and with each label, as in a regression; else None."""
        return balance(self.examples).to(self.ranks.device) if self.model.regression else None

    def step(self, number: int) -> float:
        """Run step ``number``; return the mean loss over this process's labelled sentences and the labels."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * self.schedule.rate(number)
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        visits = self.schedule.at(number)
        total, sentences = 0.0, 0
        for visit in visits[self.ranks.rank :: self.ranks.count]:
            loss, known = self._loss(visit)
            # Divided by a constant, so that a sentence weighs the same in a long report as in a short one.
            (loss / (self.unit * len(visits))).backward()  # type: ignore[no-untyped-call]
            total, sentences = total + float(loss.detach()), sentences + known
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.ranks.add_up(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimizer.step()
        return total / max(1, sentences)

    def _loss(self, visit: Visit) -> tuple[Tensor, int]:
        """The loss of a visit, summed over labelled sentences and averaged over labels, and the number of sentences."""
        example, draw, settings = self.examples[visit.report], visit.draw, self.schedule.settings
        torch.manual_seed(draw.getrandbits(62))  # dropout of this visit alone, so that a resumed run repeats it
        first, last = _part(example, draw, settings)
        found = example.bare if draw.random() < settings.heading_dropout else example.windows
        place = self.ranks.device
        learned = _drawn(example, first, last, draw, settings.sentences)
        # A window without labelled units gives context only: it is read, if at all, without gradients.
        taught = holding(found, example.counted(learned) if self.model.regression else learned)
        vectors = torch.zeros((last - first, self.model.encoder.config.hidden_size), device=place)
        seen = torch.zeros(last - first, dtype=torch.bool, device=place)
        chosen = set(taught)
        for group, through in (([w for w in found if w not in chosen], False), (taught, True)):
            if (through or not self.model.regression) and (stretch := self.lower.stretch(group, first, last)):
                # Each group has its own half-precision context, which caches cast weights, with or without gradients.
                with torch.set_grad_enabled(through), half_precision(place):
                    read = self.model.vectors(stretch.batch, stretch.hidden, self.lower.layers)
                vectors = vectors.index_copy(0, stretch.batch.units, read)
                seen[stretch.batch.units] = True
        kept = np.zeros(len(learned), dtype=bool)
        kept[first:last] = seen.cpu().numpy()
        vectors, known = vectors[seen], torch.from_numpy(learned[kept]).to(place)
        with half_precision(place):
            logits = self.model.scores(vectors, example.outline.only(kept)).float()[known]
        targets = example.targets[learned].to(place)
        weights = None if self.balance is None else torch.where(targets > 0.5, self.balance[1], self.balance[0])
        loss = binary_cross_entropy_with_logits(logits, targets, weights, reduction="sum") / targets.shape[1]
        if example.vectors is not None:
            wanted = example.vectors[kept].to(place)
            # Relative to their size, so that the weight means the same whatever the encoder's scale.
            apart = (vectors.float() - wanted).square().sum(dim=1) / wanted.square().sum(dim=1).mean()
            loss = loss + settings.vector_loss_weight * apart.sum()
        return loss, len(targets)


def _part(example: Example, draw: random.Random, settings: TrainingSettings) -> tuple[int, int]:
    """A stretch of at least a quarter of the report that contains labelled units, or the whole report."""
    count = len(example.known)
    if draw.random() >= settings.crop or count < 8:
        return 0, count
    length = draw.randint(count // 4, count)
    # Half of the cuts keep the beginning: a report without its end is more frequent than one without its title.
    first = 0 if draw.random() < 0.5 else draw.randint(0, count - length)
    return (first, first + length) if example.known[first : first + length].any() else (0, count)


def _drawn(example: Example, first: int, last: int, draw: random.Random, most: int) -> NDArray[np.bool_]:
    """(units,) the labelled units from ``first`` to ``last`` (half open), at most ``most`` of them; 0 for all."""
    found = np.flatnonzero(example.known[first:last].numpy()) + first
    if most and len(found) > most:
        found = np.array(draw.sample(found.tolist(), most))
    result = np.zeros(len(example.known), dtype=bool)
    result[found] = True
    return result
