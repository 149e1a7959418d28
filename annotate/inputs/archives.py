"""Reports in .zip and .tar archives."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from ...data.readers.zipped import BOUNDED
from .base import Input, is_report_name
from .packed import DAMAGED, MB, Allowance, Distinct, Packed, Trouble

_HEADERS = MB
"""Bytes that a tar file may spend on the headers of one member: long names and whatever else may be told there."""


class _Archive(Packed):
    def taken(self, members: Iterable[tuple[str, int, Any]]) -> Iterator[Input]:
        """Reports of ``members``: name, size as the archive states it, how to open it."""
        distinct = Distinct()
        for name, stated, start in members:
            path = PurePosixPath(name.replace("\\", "/"))
            if not is_report_name(path.name) or "__MACOSX" in path.parts:
                continue
            under = "/".join(path.parts[:-1])
            made = partial(Input, self.place, distinct(name), path.name, path.stem, under)
            if stated > self._most:
                yield made(trouble=self._too_large(path.name))
                continue
            try:
                with start() as file:
                    data = file.read(stated)  # which may be a lie, but nothing gives more
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                yield made(trouble=f"{path.name} cannot be unpacked: {error}")
            except RuntimeError:  # zipfile's word for a password; NotImplementedError is one too
                yield made(trouble=f"{path.name} is protected by a password; pack it without one")
            else:
                yield made(data=data)


class Zip(_Archive):
    """The reports in a .zip archive."""

    kind = "zip archive"

    def count(self) -> int | None:
        try:
            with zipfile.ZipFile(self.place) as archive:
                return sum(is_report_name(PurePosixPath(i.filename).name) for i in archive.infolist())
        except DAMAGED:
            return 1

    def members(self) -> Iterator[Input]:
        allowance = self._allowance()
        with zipfile.ZipFile(self.place) as archive:
            yield from self.taken(
                (_zip_name(info), info.file_size, partial(_Counted, partial(_zip_open, archive, info), allowance))
                for info in archive.infolist()
                if not info.is_dir()
            )


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


class Tar(_Archive):
    """The reports in a .tar archive, packed or not; links and devices in it are passed over."""

    kind = "tar archive"

    def members(self) -> Iterator[Input]:
        # A stream: read once, front to back. What is passed over is unpacked all the same, and so it counts.
        with _Counted(partial(_unpacking, self.place), self._allowance()) as stream:
            stream.fence = _HEADERS
            with tarfile.open(fileobj=cast(Any, stream), mode="r|") as archive:
                yield from self.taken(
                    (member.name, member.size, partial(_member, archive, member))
                    for member in _forgotten(archive, stream)
                    if member.isreg()
                )


class _Counted:
    """A file, opened by ``start``, whose bytes are taken from an allowance.

    Attributes:
        fence: where reading must stop, since tarfile holds in memory all that it reads as headers; None is nowhere.
    """

    def __init__(self, start: Callable[[], IO[bytes]], allowance: Allowance) -> None:
        self._file = start()
        self._allowance = allowance
        self._at = 0
        self.fence: int | None = None

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._allowance.left + 1))
        self._allowance.take(len(data))
        self._at += len(data)
        if self.fence is not None and self._at > self.fence + tarfile.RECORDSIZE:  # which it reads ahead
            raise Trouble(
                f"the archive has a member whose headers alone are more than {_HEADERS // MB} MB; it is refused"
            )
        return data

    def __enter__(self) -> _Counted:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _unpacking(path: Path) -> IO[bytes]:
    """The tar file, unpacked as its first bytes say, whatever its name."""
    with path.open("rb") as file:
        begins = file.read(6)
    for magic, opened in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open)):
        if begins.startswith(magic):
            return cast(IO[bytes], opened(path))
    return path.open("rb")


def _forgotten(archive: tarfile.TarFile, stream: _Counted) -> Iterator[tarfile.TarInfo]:
    """The members, of which tarfile would keep every one it has passed, and what headers say of all that follow."""
    for member in archive:
        stream.fence = None
        yield member
        archive.members.clear()  # type: ignore[attr-defined]
        archive.pax_headers.clear()  # type: ignore[attr-defined]
        stream.fence = archive.offset + _HEADERS


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    assert file is not None  # for a regular file there is one
    return file
