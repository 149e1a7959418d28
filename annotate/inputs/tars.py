"""Reports in .tar archives, packed or not.

tarfile does the reading; what it would do without an end on hostile files is kept from it.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from .archives import Archive, Counted
from .base import Input
from .packed import MB, Allowance, Trouble

_HEADERS = MB
"""Bytes that a tar file may spend on the headers of one member: long names and whatever else may be told there."""
_ENDS = 16
"""How often a reader may come to the end of a file; whoever seeks beyond it comes there again and again."""
_PIECE = 2**13
_RECORD = re.compile(rb"([0-9]{1,9}) [^=\n]{1,300}=")
_DIGITS = re.compile(rb"[0-9]{100}")
"""More digits than numbers and times have; whoever looks for their end at each of them needs quadratic time."""


class Tar(Archive):
    """The reports in a .tar archive, packed or not; links and devices in it are passed over."""

    kind = "tar archive"

    def members(self) -> Iterator[Input]:
        # A stream: read once, front to back. What is passed over is unpacked all the same, and so it counts.
        allowance = self._allowance()
        with _Stream(partial(_unpacking, self.place), allowance) as stream:
            stream.fence = _HEADERS
            with tarfile.open(fileobj=cast(Any, stream), mode="r|", tarinfo=_Member) as archive:
                yield from self.taken(
                    (member.name, member.size, partial(_Content, archive, member, allowance))
                    for member in _forgotten(archive, stream)
                    if member.isreg()
                )


class _Stream(Counted):
    """A tar file as it is read, front to back.

    Attributes:
        fence: where reading must stop, since tarfile holds in memory all that it reads as headers; None is nowhere.
    """

    def __init__(self, start: Callable[[], IO[bytes]], allowance: Allowance) -> None:
        super().__init__(start, allowance)
        self._at = self._ends = 0
        self.fence: int | None = None

    def read(self, size: int) -> bytes:
        data = super().read(size)
        self._at += len(data)
        if self.fence is not None and self._at > self.fence + tarfile.RECORDSIZE:  # which it reads ahead
            raise Trouble(
                f"the archive has a member whose headers alone are more than {_HEADERS // MB} MB; it is refused"
            )
        self._ends += size > 0 and not data
        if self._ends > _ENDS:
            raise EOFError("a file in it is larger than what is there")
        return data


def _unpacking(path: Path) -> IO[bytes]:
    """The tar file, unpacked as its first bytes say, whatever its name."""
    with path.open("rb") as file:
        begins = file.read(6)
    for magic, opened in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open)):
        if begins.startswith(magic):
            return cast(IO[bytes], opened(path))
    return path.open("rb")


def _forgotten(archive: tarfile.TarFile, stream: _Stream) -> Iterator[tarfile.TarInfo]:
    """The members, of which tarfile would keep every one it has passed, and what headers say of all that follow."""
    for member in archive:
        stream.fence = None
        yield member
        archive.members.clear()  # type: ignore[attr-defined]
        archive.pax_headers.clear()  # type: ignore[attr-defined]
        stream.fence = archive.offset + _HEADERS


class _Content:
    """What a member of a tar file holds; holes in it, of which the file holds nothing, are taken from the allowance."""

    def __init__(self, archive: tarfile.TarFile, member: tarfile.TarInfo, allowance: Allowance) -> None:
        if member.issparse():
            allowance.take(max(0, member.size))
            _check_pieces(member)
        file = archive.extractfile(member)
        assert file is not None  # for a regular file there is one
        self._file = file

    def read(self, size: int) -> bytes:
        # In pieces: between the holes of a file tarfile copies all that it has so far, again and again.
        pieces = []
        while size > 0 and (piece := self._file.read(min(size, _PIECE))):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def __enter__(self) -> _Content:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _check_pieces(member: tarfile.TarInfo) -> None:
    """Raises a ReadError where the pieces between the holes of a file do not follow each other."""
    end = 0
    for start, size in cast(Any, member).sparse or ():
        if start == size == 0:  # room for a piece that is not there
            continue
        if start < end or size < 0:
            raise tarfile.ReadError("the pieces of a file with holes are out of order")
        end = start + size


class _Member(tarfile.TarInfo):
    """A member of a tar file.

    tarfile takes the records of pax headers out with patterns that need quadratic time and memory where the lengths of
    records lie or digits go on and on, so those are looked at first (newer ones refuse wrong lengths themselves).
    """

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        stream = archive.fileobj
        data = stream.read(self._block(self.size))  # type: ignore[union-attr, attr-defined]
        _check_records(data[: self.size])
        archive.fileobj = cast(Any, _Once(data, archive, stream))
        return super()._proc_pax(archive)  # type: ignore[misc, no-any-return]


class _Once:
    """Gives ``data``, which was read from an archive's stream, once more, and the stream back."""

    def __init__(self, data: bytes, archive: tarfile.TarFile, stream: Any) -> None:
        self._data, self._archive, self._stream = data, archive, stream

    def read(self, size: int) -> bytes:
        self._archive.fileobj = self._stream
        return self._data


def _check_records(data: bytes) -> None:
    """Raises a ReadError where ``data`` are no pax records: ``LENGTH KEY=VALUE`` and a line break, end to end."""
    at = 0
    while record := _RECORD.match(data, at):
        length = int(record[1])
        if length <= record.end() - at or data[at + length - 1 : at + length] != b"\n":
            break
        at += length
    if at < len(data.rstrip(b"\0")) or _DIGITS.search(data):
        raise tarfile.ReadError("a header is no list of records")
