"""ONNX graphs of a trained model: ``encoder.onnx`` from tokens to hidden states, ``head.onnx`` from vectors to scores.

The graphs hold no weights: they point into the folder's ``model.safetensors`` (a safetensors file is plain arrays one
after another, which ONNX calls external data), so one file of weights serves torch and ONNX Runtime alike. Weights may
be float32, float16 or, with one scale per row, int8. Matrices of int8 are multiplied as integers, with activations
quantised on the way (dynamic quantisation): with one scale per window, or one per token in the feed-forward layers,
where measurements show that it matters. There a few tokens are so much larger than the others that on a window's scale
the others would lose most of their eight bits. ONNX Runtime folds the transposes and casts below when it loads a
graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import messages
from .files import ENCODER_GRAPH, HEAD_GRAPH, WEIGHTS
from .messages import FLOAT, FLOAT16, INT8, INT64
from .quantise import SCALE
from .unit_positions import DEEPEST
from .weights import Stored

OPSET = 20
_FUSED = "com.microsoft"  # ONNX Runtime's own operators: fused attention, sums with norms, dynamic quantisation
_TYPES = {"F32": FLOAT, "F16": FLOAT16, "I8": INT8}
_GELU_LEAST = -0.17
"""The minimum of GELU."""


@dataclass
class _Graph:
    """Nodes and initialisers of one graph, built from stored tensors."""

    stored: Mapping[str, Stored]
    nodes: list[tuple[str, str, tuple[str, ...], list[str], dict[str, Any]]] = field(default_factory=list)
    initialisers: dict[str, bytes] = field(default_factory=dict)

    def node(self, kind: str, *inputs: str, domain: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """Append a node; returns its output's name, or a list of names if there are several."""
        names = [f"{kind.lower()}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append((kind, domain, inputs, names, attributes))
        return names[0] if outputs == 1 else names

    def fused(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Append one of ONNX Runtime's own nodes."""
        return self.node(kind, *inputs, domain=_FUSED, outputs=outputs, **attributes)

    def constant(self, name: str, value: Any) -> str:
        """A small array stored in the graph itself."""
        if name not in self.initialisers:
            self.initialisers[name] = messages.array(name, value)
        return name

    def raw(self, name: str) -> str:
        """The stored tensor, unchanged."""
        if name not in self.initialisers:
            s = self.stored[name]
            self.initialisers[name] = messages.stored_array(name, _TYPES[s.type], s.shape, WEIGHTS, s.offset, s.length)
        return name

    def real(self, name: str) -> str:
        """The stored tensor in float32."""
        found = self.raw(name)
        return found if self.stored[name].type == "F32" else self.node("Cast", found, to=FLOAT)

    def joined(self, names: list[str]) -> str:
        """Tensors concatenated along their first axis."""
        return names[0] if len(names) == 1 else str(self.node("Concat", *names, axis=0))

    def linear(self, x: str, *names: str) -> str:
        """``x`` times the weights ``names`` (rows are outputs; several are placed side by side), plus their biases."""
        weights = [f"{name}.weight" for name in names]
        bias = self.joined([self.real(f"{name}.bias") for name in names])
        matrix = self.node("Transpose", self.joined([self.raw(w) for w in weights]), perm=[1, 0])
        if self.stored[weights[0]].type == "I8":
            scale = self.joined([self.real(w + SCALE) for w in weights])
            return str(self.fused("DynamicQuantizeMatMul", x, matrix, scale, "", bias))
        if self.stored[weights[0]].type != "F32":
            matrix = self.node("Cast", matrix, to=FLOAT)
        return str(self.node("Add", self.node("MatMul", x, matrix), bias))

    def linear_by_token(self, x: str, name: str, least: float | None = None) -> str:
        """:meth:`linear` of ``x`` (1, tokens, width), with one activation scale per token if the weights are int8.

        ``least`` is a lower bound of ``x``; None if ``x`` is roughly symmetric around 0.
        """
        if self.stored[f"{name}.weight"].type != "I8":
            return self.linear(x, name)
        zero = 128 if least is None else 24  # the byte for 0; smaller bytes are negative
        size = self.node("Abs", x) if least is None else x
        most = self.node("ReduceMax", size, self.constant("last", _ints(-1)), keepdims=1)
        step = self.node("Mul", most, self.constant(f"rise_{zero}", np.array(1 / (255 - zero), dtype=np.float32)))
        floor = 1e-12 if least is None else -least / zero
        step = self.node("Max", step, self.constant(f"floor_{zero}", np.array(floor, dtype=np.float32)))
        byte = self.constant(f"zero_{zero}", np.array(zero, dtype=np.uint8))
        steps = self.node("Squeeze", step, self.constant("ends", _ints(0, 2)))
        bytes_ = self.node("QuantizeLinear", x, steps, self.node("Expand", byte, self.node("Shape", steps)), axis=1)
        matrix = self.node("Transpose", self.raw(f"{name}.weight"), perm=[1, 0])
        one = self.constant("unit", np.array(1, dtype=np.float32))
        y = self.fused("MatMulIntegerToFloat", bytes_, matrix, one, self.real(f"{name}.weight{SCALE}"), byte)
        return str(self.node("Add", self.node("Mul", y, step), self.real(f"{name}.bias")))

    def file(self, name: str, inputs: Sequence[bytes], output: str, shape: Sequence[int | str]) -> bytes:
        """The graph's file; its last node computes the ``output``."""
        self.nodes[-1][3][0] = output
        nodes = [messages.node(*parts) for parts in self.nodes]
        made = messages.value(output, FLOAT, shape)
        return messages.model(name, nodes, self.initialisers.values(), inputs, made, {"": OPSET, _FUSED: 1})


def has_graph(config: Mapping[str, Any]) -> bool:
    """Whether :func:`graphs` supports the encoder of ``config``: BERT as in ``transformers.BertModel``."""
    plain = config.get("position_embedding_type", "absolute") == "absolute" and not config.get("is_decoder")
    return config.get("model_type") == "bert" and config.get("hidden_act") == "gelu" and plain


def graphs(config: Mapping[str, Any], stored: Mapping[str, Stored]) -> dict[str, bytes]:
    """Both graphs' files by name, for the encoder of ``config`` and the arrays ``stored`` in the weights."""
    return {ENCODER_GRAPH: _encoder(_Graph(stored), config), HEAD_GRAPH: _head(_Graph(stored))}


def _encoder(g: _Graph, config: Mapping[str, Any]) -> bytes:
    """tokens (1, length) of a window → hidden (1, length, width)."""
    epsilon = float(config["layer_norm_eps"])
    word = "encoder.embeddings.word_embeddings.weight"
    x = g.node("Gather", g.raw(word), "tokens")
    if g.stored[word].type != "F32":
        x = g.node("Cast", x, to=FLOAT)
    if g.stored[word].type == "I8":
        rows = g.node("Gather", g.real(word + SCALE), "tokens")
        x = g.node("Mul", x, g.node("Unsqueeze", rows, g.constant("last", _ints(-1))))
    zero, one = g.constant("zero", _ints(0)), g.constant("one", _ints(1))
    length = g.node("Slice", g.node("Shape", "tokens"), one, g.constant("two", _ints(2)))
    place = g.node("Slice", g.real("encoder.embeddings.position_embeddings.weight"), zero, length, zero)
    kind = g.node("Slice", g.real("encoder.embeddings.token_type_embeddings.weight"), zero, one, zero)
    x = g.node("Add", x, g.node("Add", place, kind))
    norm = "encoder.embeddings.LayerNorm"
    x = g.node("LayerNormalization", x, g.real(f"{norm}.weight"), g.real(f"{norm}.bias"), axis=-1, epsilon=epsilon)

    def after(name: str, x: str, skip: str) -> str:
        weights = g.real(f"{name}.weight"), g.real(f"{name}.bias")
        return str(g.node("LayerNormalization", g.node("Add", x, skip), *weights, axis=-1, epsilon=epsilon))

    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.encoder.layer.{layer}"
        own = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        q, k, v = g.node("Split", g.linear(x, *own), outputs=3, axis=-1, num_outputs=3)
        heads = config["num_attention_heads"]
        seen = g.fused("MultiHeadAttention", q, k, v, num_heads=heads)
        x = after(f"{name}.attention.output.LayerNorm", g.linear(seen, f"{name}.attention.output.dense"), x)
        inner = g.node("Gelu", g.linear_by_token(x, f"{name}.intermediate.dense"))
        x = after(f"{name}.output.LayerNorm", g.linear_by_token(inner, f"{name}.output.dense", _GELU_LEAST), x)
    tokens = messages.value("tokens", INT64, [1, "length"])
    return g.file("encoder", [tokens], "hidden", [1, "length", config["hidden_size"]])


def _head(g: _Graph) -> bytes:
    """vectors (units, width), and roles or above of ``UnitPositions`` → scores (units, labels), as the classifier's."""
    x = g.node("LayerNormalization", "vectors", g.real("norm.weight"), g.real("norm.bias"), axis=-1, epsilon=1e-5)
    regression = "mix.weight" not in g.stored
    g.linear(_features(g, x) if regression else _mixed(g, x), "out")
    width, labels = g.stored["norm.weight"].shape[0], g.stored["out.bias"].shape[0]
    asked = (
        messages.value("above", INT64, ["units", DEEPEST]) if regression else messages.value("roles", INT64, ["units"])
    )
    return g.file("head", [messages.value("vectors", FLOAT, ["units", width]), asked], "scores", ["units", labels])


def _mixed(g: _Graph, x: str) -> str:
    """``x`` with the units' roles, through the GRU and the layer that mixes both."""
    own = g.node("Add", x, g.node("Gather", g.real("role.weight"), "roles"))
    if "recurrent.weight_ih_l0" in g.stored:
        zero, one = g.constant("zero", _ints(0)), g.constant("one", _ints(1))

        def both(parts: Sequence[str]) -> str:
            """The two directions' ``parts``, concatenated in each direction, as one tensor with the direction first."""
            sides = [g.joined([_reordered(g, f"recurrent.{p}_l0{side}") for p in parts]) for side in ("", "_reverse")]
            return g.joined([g.node("Unsqueeze", side, zero) for side in sides])

        parts = [both(names) for names in (["weight_ih"], ["weight_hh"], ["bias_ih", "bias_hh"])]
        width = g.stored["recurrent.weight_hh_l0"].shape[1]
        around = g.node(
            "GRU",
            g.node("Unsqueeze", own, one),
            *parts,
            direction="bidirectional",
            hidden_size=width,
            linear_before_reset=1,
        )  # (units, 2, 1, width)
        flat = g.node("Reshape", around, g.constant("flat", _ints(0, 2 * width)))
        own = g.node("Concat", own, flat, axis=1)
    return str(g.node("Gelu", g.linear(own, "mix")))


def _features(g: _Graph, x: str) -> str:
    """``x`` of each unit, the mean of its headings' vectors and the innermost heading's; zeros if there are none."""
    one = g.constant("one", _ints(1))
    nothing = g.constant("nothing", np.zeros((1, g.stored["norm.weight"].shape[0]), dtype=np.float32))
    path = g.node("Gather", g.node("Concat", x, nothing, axis=0), "above")  # -1 is the added row of zeros
    there = g.node("Cast", g.node("GreaterOrEqual", "above", g.constant("zero", _ints(0))), to=FLOAT)
    count = g.node("ReduceSum", there, one, keepdims=1)
    count = g.node("Max", count, g.constant("least", np.array(1, dtype=np.float32)))
    mean = g.node("Div", g.node("ReduceSum", path, one, keepdims=0), count)
    innermost = g.node("Gather", path, g.constant("innermost", np.array(DEEPEST - 1, dtype=np.int64)), axis=1)
    return str(g.node("Concat", x, mean, innermost, axis=1))


def _ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _reordered(g: _Graph, name: str) -> str:
    """The gates of a GRU: torch has reset, update, new; ONNX needs update, reset, new."""
    reset, update, new = g.node("Split", g.real(name), outputs=3, axis=0, num_outputs=3)
    return str(g.node("Concat", update, reset, new, axis=0))
