"""Reports in .zip archives."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from ...data.readers.zipped import BOUNDED
from .archives import Archive, Counted
from .base import Input, is_report_name
from .packed import DAMAGED, MEMBERS, Trouble

_LOCAL_HEADER = 30
"""Bytes that stand in front of a file in a zip archive, at least."""
_LIST_HEADER, _LISTED = b"PK\x01\x02", 300
"""How a file is told in a zip archive's list, and how many bytes that takes, at the most, one with the other."""


class Zip(Archive):
    """The reports in a .zip archive."""

    kind = "zip archive"

    def count(self) -> int | None:
        try:
            with self._opened() as archive:
                return sum(is_report_name(PurePosixPath(i.filename).name) for i in archive.infolist())
        except (*DAMAGED, Trouble):
            return 1

    def members(self) -> Iterator[Input]:
        allowance = self._allowance()
        with self._opened() as archive:
            self._check_apart(archive.infolist())
            yield from self.taken(
                (_zip_name(info), info.file_size, partial(Counted, partial(_zip_open, archive, info), allowance))
                for info in archive.infolist()
                if not info.is_dir()
            )

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        with _Listed(self.place.open("rb", buffering=0)) as file:
            try:
                archive = zipfile.ZipFile(file)
            except _TooMany:
                raise self.too_many() from None
            file.listed = True
            with archive:
                yield archive

    def _check_apart(self, infos: Iterable[zipfile.ZipInfo]) -> None:
        """See that no bytes of the archive are several files', which makes gigabytes of kilobytes."""
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise Trouble(f"{self.place.name} has files that lie upon each other, as in a bomb; it is refused")
            end = info.header_offset + _LOCAL_HEADER + info.compress_size


class _TooMany(Exception):
    """There are more files in the archive than it may have."""


class _Listed(io.BufferedReader):
    """A zip archive as a file that zipfile can read the list of its files from only where that is not too long.

    Attributes:
        listed: whether that is done.
    """

    listed = False

    def read(self, size: int | None = -1, /) -> bytes:
        if not self.listed and size is not None and size > MEMBERS * _LISTED:
            raise _TooMany
        data = super().read(size)
        if not self.listed and data.count(_LIST_HEADER) > MEMBERS:
            raise _TooMany
        return data


def _zip_open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    if info.compress_type not in BOUNDED:
        raise NotImplementedError("its compression method is not supported, only Deflate is")
    return archive.open(info)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's name: Windows packs Chinese names as GBK without saying so, and macOS as UTF-8 likewise."""
    if info.flag_bits & 0x800:  # it is said to be UTF-8
        return info.filename
    try:
        raw = info.filename.encode("cp437")  # what zipfile took it for
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename
