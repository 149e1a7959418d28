"""Reads the sizes of a Parquet file's pages before any page is unpacked.

pyarrow unpacks a page in one piece, and a few kilobytes can become gigabytes. The sizes in a file's footer may be
wrong. pyarrow trusts the page's own header, a struct in Thrift's compact protocol, so this module reads that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 11, 12
_INTEGER = 5
"""The type of all numbers that we look for; pyarrow accepts no other type for them."""
_DEEPEST, _LONGEST = 8, 10
"""The deepest nesting of structs, and the most bytes of a number."""
_UNPACKED, _PACKED, _VALUES, _VALUES_2 = (2,), (3,), (5, 1), (8, 1)
"""Fields of a header: the page's sizes, and the number of values in a data page of either version."""


def page_sizes(file: IO[bytes], chunk: pq.ColumnChunkMetaData) -> Iterator[int]:
    """The unpacked size in bytes of each page of a column's ``chunk``, in the order of the ``file``.

    Raises:
        ValueError: a page's header is missing or malformed.
    """
    at = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < (chunk.dictionary_page_offset or 0) < at:
        at = chunk.dictionary_page_offset
    end, left = at + chunk.total_compressed_size, chunk.num_values
    while at < end and left > 0:  # the same condition as pyarrow's
        file.seek(at)
        found = dict(_Reader(file).struct())
        size, packed = found.get(_UNPACKED, -1), found.get(_PACKED, -1)
        values = found.get(_VALUES, found.get(_VALUES_2, 0))
        if min(size, packed, values) < 0:
            raise ValueError("a page has no size")
        yield size
        left -= values
        at = file.tell() + packed


class _Reader:
    """Reads structs as pyarrow does, and keeps only their 32-bit integers."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def struct(self, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], int]]:
        """The integers of a struct and of nested structs, each with its path of field numbers."""
        if len(place) > _DEEPEST:
            raise ValueError("structs are nested too deep")
        number = 0
        while (head := self._bytes(1)[0]) & 15:
            number = number + (head >> 4) if head >> 4 else self._signed()
            number = (number + 2**15) % 2**16 - 2**15  # field numbers have 16 bits
            yield from self._value(head & 15, (*place, number))

    def _value(self, kind: int, place: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int]]:
        if kind in _INTEGERS:
            value = self._signed()
            if kind == _INTEGER:
                yield place, value
        elif kind == _STRUCT:
            yield from self.struct(place)
        elif kind == _BINARY:
            if (size := self._unsigned()) >= 2**31:
                raise ValueError("a text is too long")
            self._file.seek(size, 1)
        elif kind in (_BYTE, _DOUBLE):
            self._bytes(1 if kind == _BYTE else 8)
        elif kind in _LISTS:
            head = self._bytes(1)[0]
            self._skip(head >> 4 if head >> 4 < 15 else self._unsigned(), (head & 15,), place)
        elif kind == _MAP:
            if count := self._unsigned():
                kinds = self._bytes(1)[0]
                self._skip(count, (kinds >> 4, kinds & 15), place)
        elif kind not in _BOOLEANS:  # a boolean's type is also its value
            raise ValueError(f"a field has the unknown type {kind}")

    def _skip(self, count: int, kinds: tuple[int, ...], place: tuple[int, ...]) -> None:
        """Skip ``count`` values of a list, or pairs of a map."""
        for _ in range(count):
            for kind in kinds:
                if kind in _BOOLEANS:
                    self._bytes(1)
                else:
                    for _ in self._value(kind, (*place, 0)):
                        pass

    def _bytes(self, size: int) -> bytes:
        if len(data := self._file.read(size)) < size:
            raise ValueError("a header is cut off")
        return data

    def _unsigned(self) -> int:
        value = 0
        for place in range(_LONGEST):
            byte = self._bytes(1)[0]
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value % 2**32
        raise ValueError("a number is too long")

    def _signed(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)
