"""Reads reports from .zip archives."""

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
"""The least number of bytes in front of a file in a zip archive."""
_LIST_HEADER, _LISTED = b"PK\x01\x02", 300
"""The first bytes of an entry in a zip archive's list of files, and the most bytes that an entry takes on average."""


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
            self._check_overlap(archive.infolist())
            yield from self.reports(
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

    def _check_overlap(self, infos: Iterable[zipfile.ZipInfo]) -> None:
        """Check that no two files share bytes of the archive; overlaps turn kilobytes into gigabytes."""
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise Trouble(f"{self.place.name} has overlapping files, as in a zip bomb; it is refused")
            end = info.header_offset + _LOCAL_HEADER + info.compress_size


class _TooMany(Exception):
    """The archive has more files than allowed."""


class _Listed(io.BufferedReader):
    """A zip archive that refuses to read an overlong list of files.

    Attributes:
        listed: whether zipfile has read the list.
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
    """The member's name. Windows packs Chinese names as GBK and macOS as UTF-8, both without declaring it."""
    if info.flag_bits & 0x800:  # declared as UTF-8
        return info.filename
    try:
        raw = info.filename.encode("cp437")  # zipfile's default
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename
