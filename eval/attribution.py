"""Which words led to an answer: integrated gradients over the input embeddings (Sundararajan et al. 2017).

The words of a window fade in from padding; the rest of the report stays as it is and reaches the sentence through the
GRU. The attributions of a window add up to the difference of the logit between the padded window and the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.report import Report, normalise
from ..models.about import About
from ..models.folder import load_model
from ..models.unit_positions import UnitPositions
from ..models.windows import SpecialTokens, Window, Windower

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from ..models.classifier import ReportClassifier

STEPS = 20
"""Integration points from padding to the words (Gauss-Legendre, which needs fewer points than even spacing)."""


@dataclass(frozen=True)
class Word:
    """A piece of text as the encoder splits it, and its share of the logit; above 0 if it speaks for the label."""

    text: str
    value: float


@dataclass(frozen=True)
class Attribution:
    """The words for and against one label of one sentence.

    Attributes:
        label: the label whose logit is explained.
        path: the words of title and heading path.
        words: by index in ``Report.sentences``: the words of each unit that is answered in the same window.
        rest: the share of the window's units that only give context.
        start, end: the logit of the padded window and of the real one.
    """

    label: str
    path: tuple[Word, ...]
    words: dict[int, tuple[Word, ...]]
    rest: float
    start: float
    end: float


def explainer(folder: str | Path) -> Callable[[Report, int, str], Attribution]:
    """:func:`attribute` with the model of a folder; needs torch and the torch weights.

    Raises:
        ModelError, MissingExtraError: as in ``load_model``.
    """
    model, tokenizer, about = load_model(folder)
    return lambda report, place, label: attribute(model, tokenizer, about, report, place, label)


def attribute(
    model: ReportClassifier,
    tokenizer: Tokenizer,
    about: About,
    report: Report,
    place: int,
    label: str,
    *,
    steps: int = STEPS,
) -> Attribution:
    """Explain the logit of ``label`` for the sentence at ``place`` in ``report.sentences``."""
    import torch

    from ..models.classifier import Batch
    from .frozen import read

    windower = Windower(tokenizer, about.context)
    reading = read(model, windower, report)
    unit = next(i for i, part in enumerate(reading.parts) if part.index == place)
    window = next(w for w in reading.windows if any(u == unit for u, _, _ in w.spans))
    special = windower.special
    device = reading.vectors.device
    batch = Batch.of([window], special.pad, device)
    outline = UnitPositions.of(reading.parts)
    column = about.labels.names.index(label)

    table = model.encoder.embeddings.word_embeddings
    words = table(batch.tokens).detach()
    framing = (batch.tokens == special.cls) | (batch.tokens == special.sep)
    padding = torch.where(framing.unsqueeze(-1), words, table.weight[special.pad].detach())

    def logit(embedded: torch.Tensor) -> torch.Tensor:
        hidden = model.encoder.embeddings(inputs_embeds=embedded)
        vectors = reading.vectors.clone()
        vectors[batch.units] = model.vectors(batch, hidden)
        return model.scores(vectors, outline)[unit, column]

    with torch.no_grad():
        start, end = float(logit(padding)), float(logit(words))
    slope = torch.zeros_like(words)
    points, weights = np.polynomial.legendre.leggauss(steps)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        embedded = (padding + float(point) * (words - padding)).requires_grad_()
        (gradient,) = torch.autograd.grad(logit(embedded), embedded)
        slope += float(weight) * gradient
    values = (slope * (words - padding)).sum(-1)[0].tolist()
    path = _path(window, tokenizer, special, values)
    shown = {
        reading.parts[u].index: _words(tokenizer, report.sentences[reading.parts[u].index].text, values[a:b])
        for u, a, b in window.spans
    }
    rest = sum(values) - sum(word.value for group in (path, *shown.values()) for word in group)
    return Attribution(label, path, shown, rest, start, end)


def _path(window: Window, tokenizer: Tokenizer, special: SpecialTokens, values: list[float]) -> tuple[Word, ...]:
    """The words before the first separator."""
    last = window.tokens.index(special.sep)
    pieces = [(tokenizer.id_to_token(token) or "").strip("▁#") for token in window.tokens[1:last]]
    return tuple(Word(piece, value) for piece, value in zip(pieces, values[1:last], strict=True) if piece)


def _words(tokenizer: Tokenizer, text: str, values: list[float]) -> tuple[Word, ...]:
    """The pieces of ``text`` with their values; an ellipsis marks what the window cut out of a long text."""
    clean = normalise(text)
    ends = [end for _, end in tokenizer.encode(clean, add_special_tokens=False).offsets]
    shares = [normalise(character) for character in text]
    if "".join(shares) == clean:  # otherwise characters were composed: show what the model saw
        ends = [
            int(np.searchsorted(np.cumsum([len(share) for share in shares]), end)) + 1 if end else 0 for end in ends
        ]
    else:
        text = clean
    pieces = [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    found = [Word(piece, value) for piece, value in zip(pieces, values, strict=False)]
    if len(values) < len(pieces):
        tail = len(values) // 4
        found[len(values) - tail :] = [
            Word("…", 0.0),
            *(Word(p, v) for p, v in zip(pieces[len(pieces) - tail :], values[len(values) - tail :], strict=True)),
        ]
    return tuple(word for word in found if word.text)
