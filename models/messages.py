"""Encodes ONNX's messages as bytes: only the few kinds that pizhu's graphs need.

The package onnx could do this, but is too large a dependency for everyone who runs a model; checking a model means
making its graphs again. In protocol buffers a message is a sequence of fields, and a field is its number, its kind and
its value. The numbers are those of ``onnx.proto``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Value = int | float | str | bytes
Attribute = int | float | str | list[int]

FLOAT, UINT8, INT8, INT64, FLOAT16 = 1, 2, 3, 7, 10
"""ONNX's numbers for element types."""
_TYPES = {"float32": FLOAT, "uint8": UINT8, "int64": INT64}
_IR_VERSION = 10


def node(
    kind: str, domain: str, inputs: Iterable[str], outputs: Iterable[str], attributes: Mapping[str, Attribute]
) -> bytes:
    """A node that computes ``outputs`` from ``inputs``."""
    given = [(5, _attribute(name, value)) for name, value in sorted(attributes.items())]
    names = [*((1, name) for name in inputs), *((2, name) for name in outputs)]
    return _message(*names, (4, kind), *given, (7, domain))


def array(name: str, value: NDArray[np.generic]) -> bytes:
    """A small array stored in the graph itself."""
    dims = [(1, size) for size in value.shape]
    little = value.astype(value.dtype.newbyteorder("<"))
    return _message(*dims, (2, _TYPES[value.dtype.name]), (8, name), (9, little.tobytes()))


def stored_array(name: str, kind: int, shape: Sequence[int], location: str, offset: int, length: int) -> bytes:
    """An array that lies in the file ``location`` beside the graph."""
    place = {"location": location, "offset": offset, "length": length}
    data = [(13, _message((1, key), (2, str(value)))) for key, value in place.items()]
    external = 1
    return _message(*((1, size) for size in shape), (2, kind), (8, name), *data, (14, external))


def value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """An input or output of a graph; a size given as text may vary."""
    dims = [(1, _message((1, size) if isinstance(size, int) else (2, size))) for size in shape]
    return _message((1, name), (2, _message((1, _message((1, kind), (2, _message(*dims)))))))


def model(
    name: str,
    nodes: Iterable[bytes],
    arrays: Iterable[bytes],
    inputs: Iterable[bytes],
    output: bytes,
    opsets: Mapping[str, int],
) -> bytes:
    """A file with one graph; ``opsets`` are the operators' versions by domain."""
    graph = _message(
        *((1, node) for node in nodes),
        (2, name),
        *((5, array) for array in arrays),
        *((11, value) for value in inputs),
        (12, output),
    )
    versions = [(8, _message((1, domain), (2, version))) for domain, version in opsets.items()]
    return _message((1, _IR_VERSION), (2, "pizhu"), (7, graph), *versions)


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, list):
        return _message((1, name), *((8, number) for number in value), (20, 7))
    number, kind = {int: (3, 2), float: (2, 1), str: (4, 3)}[type(value)]
    return _message((1, name), (number, value), (20, kind))


def _message(*fields: tuple[int, Value]) -> bytes:
    return b"".join([_field(number, value) for number, value in fields])


def _field(number: int, value: Value) -> bytes:
    if isinstance(value, str):
        value = value.encode("utf-8")
    if isinstance(value, bytes):
        return _varint(number << 3 | 2) + _varint(len(value)) + value
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    return _varint(number << 3) + _varint(value % 2**64)  # negative numbers as two's complement


@lru_cache(1024)
def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have their highest bit set."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)
