"""The start of a training: an encoder with a new head, or a pizhu model with the head that it has learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..base.errors import ConfigError, ModelError
from ..models.about import About, learned
from ..models.classifier import ReportClassifier
from ..models.encoder import load_encoder
from ..models.folder import load_model
from .provenance import fingerprint_model
from .recipe import HeadSettings, Recipe

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Start:
    """A network before its first step.

    Attributes:
        depth: number of layers of the original encoder; the network may have fewer.
        fingerprint: fingerprint of the original weights and tokenizer.
        learned: names of the reports that the original was trained on.
    """

    model: ReportClassifier
    tokenizer: Tokenizer
    depth: int
    fingerprint: str
    learned: frozenset[str] = frozenset()


def load_start(recipe: Recipe, names: Sequence[str], *, offline: bool = False) -> Start:
    """Load the encoder or model that ``recipe.encoder`` names and add a head for the labels ``names``.

    A pizhu model provides its encoder, its layers over the report and the scores of every label that it knows; other
    labels start from scratch. If the head has another form than the model's or is a regression, or if the model knows
    none of the labels, only its encoder is used.

    Raises:
        ConfigError: it has fewer layers than ``layers`` or ``frozen_layers`` asks for.
        ModelError: there is no such encoder or model, it is unusable, or its windows are shorter than the recipe's.
    """
    folder = recipe.encoder.folder
    if folder is None:
        encoder = load_encoder(recipe.encoder.name, offline=offline)
        network, tokenizer, found, known = encoder.model, encoder.tokenizer, encoder.model, None
        before: set[str] = set()
    else:
        known, tokenizer, about = load_model(folder)
        network, found, before = known.encoder, known, learned(about.origin)
    if recipe.context.tokens > network.config.max_position_embeddings:
        raise ModelError(
            f"context.tokens is {recipe.context.tokens}, but encoder {recipe.encoder.name!r} has "
            f"{network.config.max_position_embeddings} positions"
        )
    mark, depth = fingerprint_model(found, tokenizer), len(network.encoder.layer)
    kept, frozen = recipe.encoder.layers or depth, recipe.encoder.frozen_layers
    if kept > depth:
        raise ConfigError(f"encoder.layers is {kept}, expected at most the encoder's own {depth}")
    if frozen > kept:
        raise ConfigError(f"encoder.frozen_layers is {frozen}, expected at most the {kept} layers of the encoder")
    if kept < depth:
        # A head needs the last layer's output; without one the lowest layers are a better start (docs/ablation.md).
        _shorten(network, kept, kept if known is None else frozen)
    head = recipe.head
    torch.manual_seed(recipe.training.seed)
    model = ReportClassifier(network, len(names), head.recurrent, head.regression, head.dropout)
    if known is not None and _fits(about, head, names):
        _take_head(model, known, about.labels.names, names)
    return Start(model, tokenizer, depth, mark, frozenset(before))


def _shorten(network: Any, count: int, lowest: int) -> None:
    """Keep ``count`` layers of ``network``: the ``lowest``, and above them evenly spread ones up to the last."""
    layers = network.encoder.layer
    above = range(1, count - lowest + 1)
    kept = [*range(lowest), *(lowest + n * (len(layers) - lowest) // (count - lowest) - 1 for n in above)]
    network.encoder.layer = torch.nn.ModuleList([layers[number] for number in kept])
    network.config.num_hidden_layers = count


def _fits(about: About, head: HeadSettings, names: Sequence[str]) -> bool:
    """Whether the head of the model of ``about`` is a useful start for ``head`` and the labels ``names``.

    A head for other labels only is a hindrance: it has learned other distinctions (docs/training.md).
    """
    if head.regression or about.regression:
        return False
    return about.recurrent == head.recurrent and not set(names).isdisjoint(about.labels.names)


def _take_head(model: ReportClassifier, known: ReportClassifier, old: Sequence[str], new: Sequence[str]) -> None:
    """Copy the layers above the encoder from ``known``, including the scores of the labels that both have."""
    state, given = model.state_dict(), known.state_dict()
    for name in state:
        if not name.startswith("out."):
            state[name] = given[name]
            continue
        for row, label in enumerate(new):
            if label in old:
                state[name][row] = given[name][old.index(label)]
    model.load_state_dict(state)
