"""Eight-bit weights: a compact model for shipping, for torch and ONNX Runtime alike.

The encoder's matrices and word vectors become int8, with one scale per row (output channel); everything else becomes
float16. Values stay within -64 to 63, that is seven bits: on processors without VNNI, sums of eight-bit products
overflow the 16 bits that ONNX Runtime uses, and answers would differ from machine to machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALE = ".scale"
"""Suffix of a matrix's name for its scales."""
_MOST = 63


def quantise(state: Mapping[str, NDArray[np.floating]]) -> dict[str, NDArray[Any]]:
    """``state`` (torch's names) with int8 matrices and float32 scales, the rest in float16."""
    result: dict[str, NDArray[Any]] = {}
    for name, value in state.items():
        if (name.startswith("encoder.encoder.") and value.ndim == 2) or name.endswith("word_embeddings.weight"):
            scale = np.maximum(np.abs(value).max(axis=1), 1e-12) / _MOST
            result[name] = np.rint(value / scale[:, None]).astype(np.int8)
            result[name + SCALE] = scale.astype(np.float32)
        else:
            result[name] = value.astype(np.float16)
    return result


def dequantise(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The float32 state that :func:`quantise` turned into ``tensors``, to eight bits' precision; others unchanged."""
    result: dict[str, NDArray[np.float32]] = {}
    for name, value in tensors.items():
        if name.endswith(SCALE):
            continue
        scale = tensors.get(name + SCALE)
        result[name] = value.astype(np.float32) if scale is None else value.astype(np.float32) * scale[:, None]
    return result
