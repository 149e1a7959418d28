"""How large the pages of a Parquet file are, told before one is unpacked.

A page is unpacked in one piece, and a few kilobytes may be gigabytes then. What a file's footer says of sizes may be a
lie; what a page's own header says is what pyarrow goes by, so that is read here: a struct in Thrift's compact protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 11, 12
_INTEGER = 5
"""The kind that all numbers have which are looked for; pyarrow takes no other for them."""
_DEEPEST, _LONGEST = 8, 10
"""How deep structs lie in each other, and how many bytes a number has, at the most."""
_UNPACKED, _PACKED, _VALUES, _VALUES_2 = (2,), (3,), (5, 1), (8, 1)
"""Fields of a header: sizes of the page, and how many values are in one of data, in either version."""


def page_sizes(file: IO[bytes], chunk: pq.ColumnChunkMetaData) -> Iterator[int]:
    """How many bytes each page of a column's ``chunk`` has when it is unpacked, in the order of the ``file``.

    Raises:
        ValueError: there is no page where one should be.
    """
    at = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < (chunk.dictionary_page_offset or 0) < at:
        at = chunk.dictionary_page_offset
    end, left = at + chunk.total_compressed_size, chunk.num_values
    while at < end and left > 0:  # as pyarrow goes on
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
    """Reads structs as pyarrow does, and keeps the integers of 32 bits in them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def struct(self, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], int]]:
        """The integers of a struct and of those in it, each with the numbers of the fields that lead there."""
        if len(place) > _DEEPEST:
            raise ValueError("structs lie in each other without end")
        number = 0
        while (head := self._bytes(1)[0]) & 15:
            number = number + (head >> 4) if head >> 4 else self._signed()
            number = (number + 2**15) % 2**16 - 2**15  # they have 16 bits
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
                raise ValueError("a text has no size")
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
        elif kind not in _BOOLEANS:  # whose value is the kind
            raise ValueError(f"a field of the kind {kind}")

    def _skip(self, count: int, kinds: tuple[int, ...], place: tuple[int, ...]) -> None:
        """Get past ``count`` values of a list, or pairs of a map."""
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
        raise ValueError("a number goes on without end")

    def _signed(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)
