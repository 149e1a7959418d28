"""What bench/ablation.py trains: the base, and variants of it that exist only to be measured.

Base: the six lowest layers of the bundled encoder (measured, without distillation better than layers spread over all
twelve), three of them frozen, everything else as in recipe `default`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

import torch
from pizhu.data.report import Report
from pizhu.models.classifier import ReportClassifier
from pizhu.models.windows import ContextFormat, SpecialTokens, Unit, Window, windows
from pizhu.training.examples import Lower
from pizhu.training.schedule import Visit
from pizhu.training.step import Stepper
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

Cut = Callable[[Report, Sequence[Unit], Tokenizer, SpecialTokens, ContextFormat], list[Window]]
LOSS = "pizhu.training.step.binary_cross_entropy_with_logits"
SMOOTHED = 0.1
"""How far label smoothing draws targets towards one half: 0.05 and 0.95 for 0 and 1."""
AGREE = 1.0
"""Weight of the divergence in R-Drop."""


def alone(
    report: Report, parts: Sequence[Unit], tokenizer: Tokenizer, special: SpecialTokens, context: ContextFormat
) -> list[Window]:
    """Every unit in a window of its own, with title and heading path."""
    found = []
    for number, part in enumerate(parts):
        (window,) = windows(report, [part], tokenizer, special, context)
        found.append(Window(window.tokens, tuple((number, start, end) for _, start, end in window.spans)))
    return found


def after_previous(
    report: Report, parts: Sequence[Unit], tokenizer: Tokenizer, special: SpecialTokens, context: ContextFormat
) -> list[Window]:
    """As :func:`alone`, with the sentence before at the end of the first segment."""
    found = []
    for number, window in enumerate(alone(report, parts, tokenizer, special, context)):
        ((_, start, end),) = window.spans
        before = parts[number - 1].tokens if number and parts[number - 1].role < 2 else ()  # not a heading
        before = before[max(0, len(before) - (context.tokens - len(window.tokens))) :]
        tokens = (*window.tokens[: start - 1], *before, *window.tokens[start - 1 :])
        found.append(Window(tokens, ((number, start + len(before), end + len(before)),)))
    return found


def by_first_token(
    report: Report, parts: Sequence[Unit], tokenizer: Tokenizer, special: SpecialTokens, context: ContextFormat
) -> list[Window]:
    """As :func:`after_previous`, answered by the vector of [CLS]."""
    found = after_previous(report, parts, tokenizer, special, context)
    return [Window(window.tokens, ((number, 0, 1),)) for number, window in enumerate(found)]


class SortedClassifier(ReportClassifier):
    """Computes windows of like length together: one sentence a window would else be mostly padding."""

    def _layers(self, hidden: Tensor, mask: Tensor, first: int, last: int) -> Tensor:
        lengths = mask.sum(dim=1)
        order = lengths.argsort(descending=True, stable=True)
        found = []
        for rows in order.split(max(1, 4096 // mask.shape[1])):
            length = int(lengths[rows[0]])
            part = super()._layers(hidden[rows, :length], mask[rows, :length], first, last)
            found.append(nn.functional.pad(part, (0, 0, 0, mask.shape[1] - length)))
        return torch.cat(found)[order.argsort()]


class Transformer(nn.Module):
    """One transformer layer over the unit vectors of a report, called as a GRU is."""

    def __init__(self, width: int, out: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.layer = nn.TransformerEncoderLayer(width, 6, 2 * width, dropout, batch_first=True, norm_first=True)
        self.out = nn.Linear(width, out)

    def forward(self, units: Tensor) -> tuple[Tensor, None]:
        """(1, units, width) to (1, units, out); places are told by sines (Vaswani et al. 2017)."""
        place = torch.arange(units.shape[1]).unsqueeze(1) / 10_000 ** (torch.arange(0, self.width, 2) / self.width)
        return self.out(self.layer(units + torch.cat([place.sin(), place.cos()], dim=1))), None


def over_report(model: ReportClassifier) -> None:
    """A transformer layer in the place of the GRU, its answer as wide."""
    hidden = model.encoder.config.hidden_size
    model.recurrent = Transformer(hidden, model.mix.in_features - hidden, model.dropout.p)  # type: ignore[assignment]


class Weighted(Stepper):
    """Class weights: a label's positives weigh as much as its negatives."""

    def _loss(self, visit: Visit) -> tuple[Tensor, int]:
        share = torch.cat([e.targets[e.known] for e in self.examples]).mean(dim=0)
        with patch(LOSS, partial(binary_cross_entropy_with_logits, pos_weight=(1 - share) / share)):
            return super()._loss(visit)


class Smoothed(Stepper):
    """Label smoothing."""

    def _loss(self, visit: Visit) -> tuple[Tensor, int]:
        def smoothed(logits: Tensor, targets: Tensor, weights: Tensor | None, reduction: str) -> Tensor:
            targets = targets * (1 - SMOOTHED) + SMOOTHED / 2
            return binary_cross_entropy_with_logits(logits, targets, weights, reduction=reduction)

        with patch(LOSS, smoothed):
            return super()._loss(visit)


class RDrop(Stepper):
    """Two looks with different dropout, which should agree (Liang et al. 2021, arXiv:2106.14448)."""

    def _loss(self, visit: Visit) -> tuple[Tensor, int]:
        state, seed, logits = visit.draw.getstate(), torch.manual_seed, []
        hook = self.model.out.register_forward_hook(lambda _, __, out: logits.append(out.float()))
        try:
            one, known = super()._loss(visit)
            visit.draw.setstate(state)
            with patch("torch.manual_seed", lambda number: seed(number ^ 1)):
                other, _ = super()._loss(visit)
        finally:
            hook.remove()
        first, second = logits
        # Of two Bernoulli distributions this product is the divergence one way plus that the other way.
        apart = (first.sigmoid() - second.sigmoid()) * (first - second)
        return (one + other) / 2 + AGREE * known * apart.mean() / 2, known


class Kept(Lower):
    """Keeps what frozen layers say of windows from run to run, as long as the runs' ``key`` is the same."""

    _store: tuple[str, dict[Window, Tensor]] = ("", {})

    def __init__(self, model: ReportClassifier, layers: int, pad: int, key: str) -> None:
        super().__init__(model, layers, pad, [])
        if Kept._store[0] != key:
            Kept._store = (key, {})
        self._kept = Kept._store[1]

    def warm(self, example: object) -> None:
        """Compute those of ``example`` that are not known yet."""
        groups = (example.windows, example.bare)  # type: ignore[attr-defined]
        if not all(window in self._kept for group in groups for window in group):
            super().warm(example)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Variant:
    """What differs from the base.

    Attributes:
        says: a row of the table.
        settings: of the recipe.
        layers: the encoder's layers that are kept, counted from 1.
        encoder: ``bundled``, or one that ablation.py makes: ``full`` (no piece left out) or ``adapted`` (learned on
            unlabelled reports).
        cut: makes windows.
        change: changes the fresh network.
        stepper: makes the steps.
    """

    says: str
    settings: tuple[str, ...] = ()
    layers: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    encoder: str = "bundled"
    cut: Cut = windows
    change: Callable[[ReportClassifier], None] | None = None
    stepper: type[Stepper] = Stepper


PATHLESS = ("context.prefix=0", "training.heading_dropout=0")
VARIANTS = {
    "base": Variant("**base**"),
    "no-gru": Variant("no layer over the report", ("head.recurrent=0",)),
    "transformer": Variant("a transformer layer over the report, no GRU", change=over_report),
    "no-bare": Variant("title and heading path always (`heading_dropout` 0)", ("training.heading_dropout=0",)),
    "no-cut": Variant("whole reports only (`crop` 0)", ("training.crop=0",)),
    "weights": Variant("class weights", stepper=Weighted),
    "smoothing": Variant(f"label smoothing ({SMOOTHED})", stepper=Smoothed),
    "r-drop": Variant("R-Drop", stepper=RDrop),
    "no-path": Variant("windows without title and heading path", PATHLESS),
    "alone": Variant("one sentence a window, with title and heading path", cut=alone),
    "cls": Variant("the same with the sentence before, answered by [CLS]", cut=by_first_token),
    "nothing": Variant("the sentence alone: nothing around it, no GRU", (*PATHLESS, "head.recurrent=0"), cut=alone),
    "full": Variant("all 250,002 pieces of the vocabulary", encoder="full"),
    "adapted": Variant("masked-language-model training on unlabelled reports first", encoder="adapted"),
    "12": Variant("12 layers, 9 frozen", ("encoder.frozen_layers=9",), tuple(range(1, 13))),
    "6-upper": Variant("6 layers: 1 to 3 frozen, 6, 9, 12", layers=(1, 2, 3, 6, 9, 12)),
    "4": Variant("4 layers: the lowest, 1 frozen", ("encoder.frozen_layers=1",), (1, 2, 3, 4)),
}  # fmt: skip
