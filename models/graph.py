"""ONNX graphs of a trained model: ``encoder.onnx`` from tokens to hidden states, ``head.onnx`` from vectors to scores.

The graphs hold no weights: they point into the folder's ``model.safetensors`` (a safetensors file is plain arrays one
after another, which is what ONNX calls external data), so one file of weights serves torch and ONNX Runtime alike.
Weights may be float32, float16 or, with a scale a row, int8; matrices of int8 are multiplied as integers, the
activations quantised on the way (dynamic quantisation): with one scale a window, or one a token where measured that
matters, which is in the feed-forward layers. There a few tokens are so much larger than the others that on a window's
scale the others would lose most of their eight bits. ONNX Runtime folds the transposes and casts below when it loads a
graph.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import MissingExtraError
from .files import CONFIG, ENCODER_GRAPH, HEAD_GRAPH, WEIGHTS
from .outline import DEEPEST
from .quantise import SCALE

OPSET = 20
_FUSED = "com.microsoft"  # ONNX Runtime's own operators: fused attention, sums with norms, dynamic quantisation
_TYPES = {"F32": 1, "F16": 10, "I8": 3}
_GELU_LEAST = -0.17
"""What GELU never falls below."""


@dataclass(frozen=True)
class _Stored:
    """A tensor of the weights file: ONNX element type, shape, place in the file."""

    type: int
    shape: list[int]
    offset: int
    length: int


class _Graph:
    """Nodes and initialisers of one graph, put together from stored tensors."""

    def __init__(self, folder: Path) -> None:
        try:
            import onnx
        except ImportError:
            raise MissingExtraError("writing an ONNX graph", "train") from None
        self.onnx = onnx
        self.stored = _stored(folder / WEIGHTS)
        self.nodes: list[Any] = []
        self.initialisers: dict[str, Any] = {}

    def node(self, kind: str, *inputs: str, domain: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """Append a node; its output's name, or all of them where there are several."""
        names = [f"{kind.lower()}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def fused(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """A node of ONNX Runtime's own."""
        return self.node(kind, *inputs, domain=_FUSED, outputs=outputs, **attributes)

    def constant(self, name: str, value: Any) -> str:
        """A small array kept in the graph itself."""
        if name not in self.initialisers:
            self.initialisers[name] = self.onnx.numpy_helper.from_array(value, name)
        return name

    def raw(self, name: str) -> str:
        """The stored tensor as it is."""
        if name not in self.initialisers:
            stored = self.stored[name]
            tensor = self.onnx.TensorProto(name=name, data_type=stored.type, dims=stored.shape)
            tensor.data_location = self.onnx.TensorProto.EXTERNAL
            place = {"location": WEIGHTS, "offset": stored.offset, "length": stored.length}
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            self.initialisers[name] = tensor
        return name

    def real(self, name: str) -> str:
        """The stored tensor in float32."""
        found = self.raw(name)
        return found if self.stored[name].type == _TYPES["F32"] else self.node("Cast", found, to=1)

    def joined(self, names: list[str]) -> str:
        """Tensors laid end to end along their first axis."""
        return names[0] if len(names) == 1 else str(self.node("Concat", *names, axis=0))

    def linear(self, x: str, *names: str) -> str:
        """``x`` times the weights ``names`` (rows are outputs; several are laid side by side), plus their biases."""
        weights = [f"{name}.weight" for name in names]
        bias = self.joined([self.real(f"{name}.bias") for name in names])
        matrix = self.node("Transpose", self.joined([self.raw(w) for w in weights]), perm=[1, 0])
        if self.stored[weights[0]].type == _TYPES["I8"]:
            scale = self.joined([self.real(w + SCALE) for w in weights])
            return str(self.fused("DynamicQuantizeMatMul", x, matrix, scale, "", bias))
        if self.stored[weights[0]].type != _TYPES["F32"]:
            matrix = self.node("Cast", matrix, to=1)
        return str(self.node("Add", self.node("MatMul", x, matrix), bias))

    def linear_by_token(self, x: str, name: str, least: float | None = None) -> str:
        """:meth:`linear` of ``x`` (1, tokens, width) whose activations, where weights are int8, have a scale a token.

        ``least`` is a value that ``x`` never falls below; None where it falls as low as it rises.
        """
        import numpy as np

        if self.stored[f"{name}.weight"].type != _TYPES["I8"]:
            return self.linear(x, name)
        zero = 128 if least is None else 24  # the byte that stands for 0; below it lies what is less
        size = self.node("Abs", x) if least is None else x
        most = self.node("ReduceMax", size, self.constant("last", np.array([-1])), keepdims=1)
        step = self.node("Mul", most, self.constant(f"rise_{zero}", np.array(1 / (255 - zero), dtype=np.float32)))
        floor = 1e-12 if least is None else -least / zero
        step = self.node("Max", step, self.constant(f"floor_{zero}", np.array(floor, dtype=np.float32)))
        byte = self.constant(f"zero_{zero}", np.array(zero, dtype=np.uint8))
        steps = self.node("Squeeze", step, self.constant("ends", np.array([0, 2])))
        bytes_ = self.node("QuantizeLinear", x, steps, self.node("Expand", byte, self.node("Shape", steps)), axis=1)
        matrix = self.node("Transpose", self.raw(f"{name}.weight"), perm=[1, 0])
        one = self.constant("unit", np.array(1, dtype=np.float32))
        y = self.fused("MatMulIntegerToFloat", bytes_, matrix, one, self.real(f"{name}.weight{SCALE}"), byte)
        return str(self.node("Add", self.node("Mul", y, step), self.real(f"{name}.bias")))

    def save(self, path: Path, inputs: list[Any], output: Any) -> None:
        """Write the graph with the output called ``output``."""
        helper = self.onnx.helper
        graph = helper.make_graph(self.nodes, path.stem, inputs, [output], list(self.initialisers.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="pizhu")
        path.write_bytes(model.SerializeToString(deterministic=True))


def has_graph(folder: Path) -> bool:
    """Whether :func:`write_graphs` knows the encoder of ``folder``: BERT as ``transformers.BertModel`` is."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    plain = config.get("position_embedding_type", "absolute") == "absolute" and not config.get("is_decoder")
    return config.get("model_type") == "bert" and config.get("hidden_act") == "gelu" and plain


def write_graphs(folder: Path) -> tuple[str, ...]:
    """Write both graphs beside the ``config.json`` and ``model.safetensors`` of ``folder``; returns the files' names.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    _encoder(_Graph(folder), config, folder / ENCODER_GRAPH)
    _head(_Graph(folder), folder / HEAD_GRAPH)
    return ENCODER_GRAPH, HEAD_GRAPH


def _encoder(g: _Graph, config: dict[str, Any], path: Path) -> None:
    """tokens (1, length) of a window → hidden (1, length, width)."""
    import numpy as np

    helper, kinds = g.onnx.helper, g.onnx.TensorProto
    epsilon = float(config["layer_norm_eps"])
    word = "encoder.embeddings.word_embeddings.weight"
    x = g.node("Gather", g.raw(word), "tokens")
    if g.stored[word].type != _TYPES["F32"]:
        x = g.node("Cast", x, to=1)
    if g.stored[word].type == _TYPES["I8"]:
        rows = g.node("Gather", g.real(word + SCALE), "tokens")
        x = g.node("Mul", x, g.node("Unsqueeze", rows, g.constant("last", np.array([-1]))))
    zero, one = g.constant("zero", np.array([0])), g.constant("one", np.array([1]))
    length = g.node("Slice", g.node("Shape", "tokens"), one, g.constant("two", np.array([2])))
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
    g.nodes[-1].output[0] = "hidden"
    shape = [1, "length"]
    g.save(
        path,
        [helper.make_tensor_value_info("tokens", kinds.INT64, shape)],
        helper.make_tensor_value_info("hidden", kinds.FLOAT, [*shape, config["hidden_size"]]),
    )


def _head(g: _Graph, path: Path) -> None:
    """vectors (units, width) and the roles or above of an ``Outline`` → scores (units, labels), as the classifier's."""
    helper, kinds = g.onnx.helper, g.onnx.TensorProto
    x = g.node("LayerNormalization", "vectors", g.real("norm.weight"), g.real("norm.bias"), axis=-1, epsilon=1e-5)
    regression = "mix.weight" not in g.stored
    g.linear(_features(g, x) if regression else _mixed(g, x), "out")
    g.nodes[-1].output[0] = "scores"
    width = g.stored["norm.weight"].shape[0]
    labels = g.stored["out.bias"].shape[0]
    asked, shape = ("above", ["units", DEEPEST]) if regression else ("roles", ["units"])
    inputs = [
        helper.make_tensor_value_info("vectors", kinds.FLOAT, ["units", width]),
        helper.make_tensor_value_info(asked, kinds.INT64, shape),
    ]
    g.save(path, inputs, helper.make_tensor_value_info("scores", kinds.FLOAT, ["units", labels]))


def _mixed(g: _Graph, x: str) -> str:
    """``x`` with the units' roles, what the GRU makes of them, and the layer that mixes both."""
    import numpy as np

    own = g.node("Add", x, g.node("Gather", g.real("role.weight"), "roles"))
    if "recurrent.weight_ih_l0" in g.stored:
        zero, one = g.constant("zero", np.array([0])), g.constant("one", np.array([1]))

        def both(parts: Sequence[str]) -> str:
            """The two directions' ``parts``, laid end to end in each, as one tensor with the direction first."""
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
        flat = g.node("Reshape", around, g.constant("flat", np.array([0, 2 * width])))
        own = g.node("Concat", own, flat, axis=1)
    return str(g.node("Gelu", g.linear(own, "mix")))


def _features(g: _Graph, x: str) -> str:
    """``x`` of each unit, the mean of its headings' and the innermost heading's; zeros where there are none."""
    import numpy as np

    one = g.constant("one", np.array([1]))
    nothing = g.constant("nothing", np.zeros((1, g.stored["norm.weight"].shape[0]), dtype=np.float32))
    path = g.node("Gather", g.node("Concat", x, nothing, axis=0), "above")  # -1 is the row of nothing
    there = g.node("Cast", g.node("GreaterOrEqual", "above", g.constant("zero", np.array([0]))), to=1)
    count = g.node("ReduceSum", there, one, keepdims=1)
    count = g.node("Max", count, g.constant("least", np.array(1, dtype=np.float32)))
    mean = g.node("Div", g.node("ReduceSum", path, one, keepdims=0), count)
    innermost = g.node("Gather", path, g.constant("innermost", np.array(DEEPEST - 1)), axis=1)
    return str(g.node("Concat", x, mean, innermost, axis=1))


def _reordered(g: _Graph, name: str) -> str:
    """torch keeps a GRU's gates as reset, update, new; ONNX wants update, reset, new."""
    reset, update, new = g.node("Split", g.real(name), outputs=3, axis=0, num_outputs=3)
    return str(g.node("Concat", update, reset, new, axis=0))


def _stored(path: Path) -> dict[str, _Stored]:
    """Where each tensor lies in a safetensors file: an 8-byte length, a JSON header, then the arrays."""
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        found[name] = _Stored(_TYPES[entry["dtype"]], list(entry["shape"]), 8 + size + start, end - start)
    return found
