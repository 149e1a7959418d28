"""Reads the header of a file of weights, without reading the weights.

A safetensors file is an 8-byte length, a JSON header of that length, then the arrays one after another.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import ModelError
from .quantise import SCALE
from .windows import ROLES

Shape = tuple[int, ...]

_LONGEST_HEADER = 2**24
_SIZES = {"F32": 4, "F16": 2, "I8": 1}
"""Bytes per element, for the types that pizhu writes."""


@dataclass(frozen=True)
class Stored:
    """An array in the file: the type of its elements, its shape, and the range of its bytes."""

    type: str
    shape: Shape
    offset: int
    length: int


@dataclass(frozen=True)
class Header:
    """The contents of the file.

    Attributes:
        arrays: the arrays by name.
        labels: the classifier's labels, joined by commas; None if not given.
    """

    arrays: Mapping[str, Stored]
    labels: str | None

    def check(self, config: Mapping[str, Any], labels: int, recurrent: int, regression: bool) -> None:
        """Raise a ModelError if these are not the arrays of a ``ReportClassifier`` over the encoder of ``config``."""
        if config["num_hidden_layers"] > len(self.arrays):
            raise ModelError(f"its weights have fewer than {config['num_hidden_layers']} layers")
        wanted = _encoder(config) | _head(config["hidden_size"], labels, recurrent, regression)
        scales = {name + SCALE for name in self.arrays}
        found = {name: array.shape for name, array in self.arrays.items() if name not in scales}
        for name in sorted({*found, *wanted}):
            if found.get(name) != wanted.get(name):
                raise ModelError(f"{name} has the shape {_show(found.get(name))}, expected {_show(wanted.get(name))}")


def read_header(path: Path) -> Header:
    """Read and check the header of the safetensors file ``path``.

    Raises:
        ModelError: it is damaged, or holds impossible values.
    """
    with path.open("rb") as file:
        start = file.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < size <= _LONGEST_HEADER:
            raise ModelError(f"the header of {path.name} has an impossible length")
        text = file.read(size)
        room = path.stat().st_size - 8 - size
    try:
        header = json.loads(text)
        metadata = header.pop("__metadata__", {})
        arrays = {name: _stored(entry, 8 + size, room) for name, entry in header.items()}
        labels = metadata.get("labels")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelError(f"the header of {path.name} cannot be understood: {str(error)[:100]!r}") from None
    for name, array in arrays.items():
        scale = arrays.get(name + SCALE)
        if (array.type == "I8") != (scale is not None and scale.shape == array.shape[:1]):
            raise ModelError(f"{name} is int8 without a scale for each row, or has such scales without being int8")
    return Header(arrays, labels)


def _stored(entry: Mapping[str, Any], first: int, room: int) -> Stored:
    size, shape, (start, end) = _SIZES[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, start, end)):
        raise ValueError("a size is not a count")
    if end > room or end - start != size * math.prod(shape):
        raise ValueError("an array is not where it should be")
    return Stored(entry["dtype"], shape, first + start, end - start)


def _encoder(config: Mapping[str, Any]) -> dict[str, Shape]:
    """The shapes of an encoder's arrays: BERT's, without a pooler."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    tables = {"word": "vocab_size", "position": "max_position_embeddings", "token_type": "type_vocab_size"}
    if config.get("use_task_id"):
        tables["task_type"] = "task_type_vocab_size"
    found: dict[str, Shape] = {
        f"embeddings.{t}_embeddings.weight": (config[size], hidden) for t, size in tables.items()
    }
    norm: dict[str, Shape] = {"weight": (hidden,), "bias": (hidden,)}
    square: dict[str, Shape] = {"weight": (hidden, hidden), "bias": (hidden,)}
    layer: dict[str, dict[str, Shape]] = {
        **{f"attention.self.{name}": square for name in ("query", "key", "value")},
        "attention.output.dense": square,
        "attention.output.LayerNorm": norm,
        "intermediate.dense": {"weight": (inner, hidden), "bias": (inner,)},
        "output.dense": {"weight": (hidden, inner), "bias": (hidden,)},
        "output.LayerNorm": norm,
    }
    parts = {"embeddings.LayerNorm": norm}
    for number in range(config["num_hidden_layers"]):
        parts |= {f"encoder.layer.{number}.{name}": shapes for name, shapes in layer.items()}
    found |= {f"{part}.{name}": shape for part, shapes in parts.items() for name, shape in shapes.items()}
    return {f"encoder.{name}": shape for name, shape in found.items()}


def _head(hidden: int, labels: int, recurrent: int, regression: bool) -> dict[str, Shape]:
    """The shapes of a head's arrays."""
    norm = {"norm.weight": (hidden,), "norm.bias": (hidden,)}
    seen = 3 * hidden if regression else hidden
    out = {"out.weight": (labels, seen), "out.bias": (labels,)}
    if regression:
        return norm | out
    mixed = {"role.weight": (ROLES, hidden), "mix.weight": (hidden, hidden + 2 * recurrent), "mix.bias": (hidden,)}
    gates = 3 * recurrent  # of a GRU
    around = {
        f"recurrent.{part}_l0{side}": shape
        for side in ("", "_reverse")
        for part, shape in {
            "weight_ih": (gates, hidden),
            "weight_hh": (gates, recurrent),
            "bias_ih": (gates,),
            "bias_hh": (gates,),
        }.items()
    }
    return norm | mixed | out | (around if recurrent else {})


def _show(shape: Shape | None) -> str:
    return "none" if shape is None else " × ".join(map(str, shape)) or "scalar"
