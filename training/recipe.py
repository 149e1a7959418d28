"""Recipes: a TOML file describes how a model is trained; every field is checked before anything runs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..base.errors import ConfigError, RenamedWarning
from ..base.toml import brief, named, parse_toml, read_toml
from ..models.folder import is_model, load_about
from ..models.paths import SHIPPED
from ..models.windows import ContextFormat


@dataclass(frozen=True)
class EncoderSettings:
    """The encoder or model that a training starts from.

    Attributes:
        name: ``bundled``, a folder or a hub id: an encoder alone. ``shipped`` (the model that comes with pizhu) or the
            folder of any pizhu model: that model, including its head for the labels that are the same.
        frozen_layers: how many of its lower layers (with the embeddings) are not trained.
        layers: how many of its layers are kept, 0 for all: of an encoder alone the lowest; of a pizhu model the frozen
            ones, and others evenly spread up to the last.
    """

    name: str = "bundled"
    frozen_layers: int = 6
    layers: int = 0

    @property
    def folder(self) -> Path | None:
        """The model folder that ``name`` means, None if it means an encoder alone."""
        if self.name == "shipped":
            return SHIPPED
        return Path(self.name) if is_model(self.name) else None


@dataclass(frozen=True)
class HeadSettings:
    """The layers that score a report's sentences.

    Attributes:
        recurrent: width of the layer over the report in each direction, 0 for none.
        regression: whether the head is a logistic regression on the vectors of the sentence and of its headings, solved
            and not trained step by step: for few labelled sentences. It has no recurrent layer.
        dropout: dropout in the head, 0 to 1.
    """

    recurrent: int = 192
    regression: bool = False
    dropout: float = 0.2


@dataclass(frozen=True)
class TrainingSettings:
    """The training loop.

    Attributes:
        seed: seed of all random numbers.
        epochs: how often every training report is seen.
        min_steps: if the epochs have fewer steps, there are more epochs.
        reports: reports per step; several processes share them, rounded up to a multiple of their number.
        patience: stop when validation macro-F1 has not risen this many times in a row, and use the weights with the
            highest; 0 trains to the end and uses the last. It is measured every epoch, but at most twenty times in all.
        encoder_lr, head_lr: peak learning rates of the encoder and of the layers above it.
        warmup: share of the steps in which the rates rise; they fall to zero over the rest.
        weight_decay: AdamW's weight decay.
        crop: probability that a step sees only a stretch of the report, so that no part is taken for granted.
        heading_dropout: probability that a step's windows have no title and heading path.
        sentences: the most labelled sentences that a visit learns from, drawn again each time; 0 for all.
        hard_label_weight: with a teacher, the weight of the labels against its probabilities, 0 to 1.
        vector_loss_weight: with a teacher, the weight of the distance to its unit vectors, added to the labels' loss.
        checkpoint_steps: steps between checkpoints.
    """

    seed: int = 1
    epochs: int = 8
    min_steps: int = 0
    reports: int = 1
    patience: int = 0
    encoder_lr: float = 1e-4
    head_lr: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 0.01
    crop: float = 0.5
    heading_dropout: float = 0.15
    sentences: int = 0
    hard_label_weight: float = 0.5
    vector_loss_weight: float = 1.0
    checkpoint_steps: int = 50


@dataclass(frozen=True)
class Recipe:
    """All settings of one training."""

    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    context: ContextFormat = field(default_factory=ContextFormat)
    head: HeadSettings = field(default_factory=HeadSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        name = self.encoder.name
        if not name.strip() or min(name) < " " or len(name) > _LONGEST_NAME:
            raise ConfigError(f"encoder.name is {brief(name)}, expected bundled, shipped, a folder or a hub id")
        for name, (low, high) in _RANGES.items():
            section, key = name.split(".")
            value = getattr(getattr(self, section), key)
            if not low <= value <= high:
                raise ConfigError(f"{name} is {brief(value)}, expected {low} to {high}")
        if self.head.regression and self.head.recurrent:
            raise ConfigError(f"head.recurrent is {self.head.recurrent}, expected 0 with head.regression")
        self.context.check()

    def as_dict(self) -> dict[str, Any]:
        """The sections and fields, JSON-ready."""
        return asdict(self)


_LONGEST_NAME = 4096
"""Characters of a path, the maximum on any system."""

_RANGES: dict[str, tuple[float, float]] = {
    "encoder.frozen_layers": (0, 1000),
    "encoder.layers": (0, 1000),
    "head.recurrent": (0, 4096),
    "head.dropout": (0.0, 0.9),
    "training.seed": (0, 2**31),
    "training.epochs": (1, 10_000),
    "training.min_steps": (0, 1_000_000),
    "training.reports": (1, 1000),
    "training.patience": (0, 1000),
    "training.encoder_lr": (0.0, 1.0),
    "training.head_lr": (0.0, 1.0),
    "training.warmup": (0.0, 1.0),
    "training.hard_label_weight": (0.0, 1.0),
    "training.vector_loss_weight": (0.0, 1000.0),
    "training.weight_decay": (0.0, 1.0),
    "training.crop": (0.0, 1.0),
    "training.heading_dropout": (0.0, 1.0),
    "training.sentences": (0, 1_000_000),
    "training.checkpoint_steps": (1, 1_000_000),
}


RENAMED = {
    "passes": "epochs",
    "least_steps": "min_steps",
    "body_rate": "encoder_lr",
    "head_rate": "head_lr",
    "cut": "crop",
    "bare": "heading_dropout",
    "truth": "hard_label_weight",
    "imitation": "vector_loss_weight",
}
"""Earlier names of ``[training]`` fields; files that use them load, with a warning."""
_RETIRED = {"near": 0.0}
"""Former fields of ``[training]``, with the value at which they had no effect."""


def load_recipe(source: str | Path = "default", overrides: Iterable[str] = ()) -> Recipe:
    """Load a recipe.

    If it starts from a pizhu model, the fields of ``context`` and ``head`` (except the dropout) that it does not set
    are that model's, since a model works well only in the format it was trained on.

    Args:
        source: a TOML file, or the name of a shipped recipe (``default``, ``small``, ``demo``,
            ``finetune``, ``own``).
        overrides: ``section.field=value`` settings that take precedence over the file.

    Raises:
        ConfigError: the file is missing or not TOML, or a field is unknown, of a wrong type or out of range.
        ModelError: the pizhu model to start from is missing or damaged.
    """
    path = Path(source)
    if not path.is_file() and path.suffix == "" and len(path.parts) == 1:
        shipped = files(__package__) / "recipes" / f"{source}.toml"
        if not shipped.is_file():
            names = sorted(p.name.removesuffix(".toml") for p in (files(__package__) / "recipes").iterdir())
            raise ConfigError(f"there is no recipe {str(source)!r}; name a TOML file or one of {', '.join(names)}")
        table = parse_toml(shipped.read_text(encoding="utf-8"), f"recipe {source}")
    else:
        table = read_toml(path, f"recipe {source}")
    for override in overrides:
        _override(table, override)
    for old, new in _modernised(table):
        message = f"recipe {source}: training.{old} is now called training.{new}; use the new name"
        warnings.warn(message, RenamedWarning, stacklevel=2)
    folder = recipe_from_dict({k: v for k, v in table.items() if k == "encoder"}, str(source)).encoder.folder
    if folder is not None:
        about = load_about(folder)
        head = {"recurrent": about.recurrent, "regression": about.regression}
        for section, learned in {"context": asdict(about.context), "head": head}.items():
            if isinstance(own := table.get(section, {}), dict):
                table[section] = learned | own
    return recipe_from_dict(table, str(source))


def recipe_from_dict(table: Mapping[str, Any], where: str) -> Recipe:
    """Check ``table`` (sections of fields, under present or earlier names) and make the recipe.

    Raises:
        ConfigError: a field is unknown, of a wrong type or out of range; the message begins with ``where``.
    """
    table = {name: dict(body) if isinstance(body, Mapping) else body for name, body in table.items()}
    try:
        _modernised(table)
        return _from_dict(table)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _modernised(table: dict[str, Any]) -> list[tuple[str, str]]:
    """Rename the fields of ``[training]`` to their present names; returns the (old, new) names of those renamed."""
    training = table.get("training")
    if not isinstance(training, dict):
        return []
    for name, idle in _RETIRED.items():
        if training.pop(name, idle) != idle:
            raise ConfigError(f"training.{name} is no longer a field; only {idle} can be made again")
    found = [(old, new) for old, new in RENAMED.items() if old in training]
    for old, new in found:
        if new in training:
            raise ConfigError(f"training.{old} is the earlier name of training.{new}; set only one of them")
        training[new] = training.pop(old)
    return found


def _from_dict(table: Mapping[str, Any]) -> Recipe:
    sections = {f.name: f.default_factory for f in fields(Recipe)}
    values: dict[str, Any] = {}
    for name, body in table.items():
        make = sections.get(name)
        if make is None or not callable(make):
            raise ConfigError(f"unknown section [{named(name)}], expected one of {', '.join(sections)}")
        if not isinstance(body, Mapping):
            raise ConfigError(f"{name} is {brief(body)}, expected a section [{name}] of fields")
        default = make()
        known = {f.name: getattr(default, f.name) for f in fields(default)}
        checked = {}
        for key, value in body.items():
            if key not in known:
                raise ConfigError(f"unknown field {name}.{named(key)}, expected one of {', '.join(known)}")
            checked[key] = _typed(f"{name}.{key}", value, type(known[key]))
        values[name] = type(default)(**checked)
    return Recipe(**values)


def _typed(name: str, value: Any, kind: type) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**53 else math.inf  # no field allows infinity
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        expected = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}[kind]
        raise ConfigError(f"{name} is {brief(value)}, expected {expected}")
    return value


def _override(table: dict[str, Any], override: str) -> None:
    name, equals, value = override.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        raise ConfigError(f"setting {brief(override)} is not understood, expected section.field=value")
    try:
        parsed = parse_toml(f"value = {value}", f"setting {brief(override)}")["value"]
    except ConfigError:
        parsed = value.strip()  # a bare word is a text
    body = table.setdefault(section, {})
    if isinstance(body, dict):  # otherwise the file is wrong, and its check reports that
        body[key] = parsed
