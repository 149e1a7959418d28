"""Reads reports from .tar archives, compressed or not.

tarfile does the reading; this module guards it against hostile files on which it would run without end.
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
"""The most bytes of headers before one member: long names and other attributes."""
_ENDS = 16
"""How many reads may return nothing at the end of the file; seeking beyond the end repeats such reads."""
_PIECE = 2**13
_RECORD = re.compile(rb"([0-9]{1,9}) [^=\n]{1,300}=")
_DIGITS = re.compile(rb"[0-9]{100}")
"""More digits than a number or time has; tarfile's patterns take quadratic time on long runs of digits."""


class Tar(Archive):
    """The reports in a .tar archive, compressed or not; skips links and devices."""

    kind = "tar archive"

    def members(self) -> Iterator[Input]:
        # A stream is read once, front to back. Skipped members are decompressed too, so they count.
        allowance = self._allowance()
        with _Stream(partial(_unpacking, self.place), allowance) as stream:
            stream.fence = _HEADERS
            with tarfile.open(fileobj=cast(Any, stream), mode="r|", tarinfo=_Member) as archive:
                yield from self.reports(
                    (member.name, member.size, partial(_Content, archive, member, allowance))
                    for member in _members(archive, stream)
                    if member.isreg()
                )


class _Stream(Counted):
    """A tar file that is read front to back.

    Attributes:
        fence: the offset where reading must stop, since tarfile keeps all headers in memory; None for no limit.
    """

    def __init__(self, start: Callable[[], IO[bytes]], allowance: Allowance) -> None:
        super().__init__(start, allowance)
        self._at = self._ends = 0
        self.fence: int | None = None

    def read(self, size: int) -> bytes:
        data = super().read(size)
        self._at += len(data)
        if self.fence is not None and self._at > self.fence + tarfile.RECORDSIZE:  # tarfile reads one record ahead
            raise Trouble(
                f"the archive has a member whose headers alone are more than {_HEADERS // MB} MB; it is refused"
            )
        self._ends += size > 0 and not data
        if self._ends > _ENDS:
            raise EOFError("a file in it is larger than the archive")
        return data


def _unpacking(path: Path) -> IO[bytes]:
    """The tar file, decompressed according to its first bytes, whatever its name."""
    with path.open("rb") as file:
        begins = file.read(6)
    for magic, opened in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open)):
        if begins.startswith(magic):
            return cast(IO[bytes], opened(path))
    return path.open("rb")


def _members(archive: tarfile.TarFile, stream: _Stream) -> Iterator[tarfile.TarInfo]:
    """The members; drops past members and global headers, which tarfile would keep in memory."""
    for member in archive:
        stream.fence = None
        yield member
        archive.members.clear()  # type: ignore[attr-defined]
        archive.pax_headers.clear()  # type: ignore[attr-defined]
        stream.fence = archive.offset + _HEADERS


class _Content:
    """The content of a member of a tar file; the holes of a sparse file count against the allowance too."""

    def __init__(self, archive: tarfile.TarFile, member: tarfile.TarInfo, allowance: Allowance) -> None:
        if member.issparse():
            allowance.take(max(0, member.size))
            _check_pieces(member)
        file = archive.extractfile(member)
        assert file is not None  # the member is a regular file
        self._file = file

    def read(self, size: int) -> bytes:
        # In pieces: for a sparse file, tarfile copies everything read so far at every hole.
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
    """Raises a ReadError if the pieces of a sparse file overlap or are out of order."""
    end = 0
    for start, size in cast(Any, member).sparse or ():
        if start == size == 0:  # an unused entry
            continue
        if start < end or size < 0:
            raise tarfile.ReadError("the pieces of a sparse file are out of order")
        end = start + size


class _Member(tarfile.TarInfo):
    """A member of a tar file.

    tarfile parses the records of pax headers with patterns that take quadratic time and memory on wrong record lengths
    and on long runs of digits. So this class checks the records first (newer versions check the lengths themselves).
    """

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        stream = archive.fileobj
        data = stream.read(self._block(self.size))  # type: ignore[union-attr, attr-defined]
        _check_records(data[: self.size])
        archive.fileobj = cast(Any, _Replayed(data, archive, stream))
        return super()._proc_pax(archive)  # type: ignore[misc, no-any-return]


class _Replayed:
    """Returns ``data``, already read from an archive's stream, once more, and then restores the stream."""

    def __init__(self, data: bytes, archive: tarfile.TarFile, stream: Any) -> None:
        self._data, self._archive, self._stream = data, archive, stream

    def read(self, size: int) -> bytes:
        self._archive.fileobj = self._stream
        return self._data


def _check_records(data: bytes) -> None:
    """Raises a ReadError unless ``data`` is a sequence of pax records: ``LENGTH KEY=VALUE`` and a line break."""
    at = 0
    while record := _RECORD.match(data, at):
        length = int(record[1])
        if length <= record.end() - at or data[at + length - 1 : at + length] != b"\n":
            break
        at += length
    if at < len(data.rstrip(b"\0")) or _DIGITS.search(data):
        raise tarfile.ReadError("a header is not a list of records")
