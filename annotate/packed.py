"""Reports packed into archives and tables, taken out one by one: nothing is unpacked to disk.

The names in an archive and the identities in a table are data: they are shown and recorded, and never used as paths.
"""

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
from typing import IO, TYPE_CHECKING, Any, cast

from ..data.errors import MissingExtraError
from ..data.limits import Limits
from ..data.readers.zipped import BOUNDED
from .inputs import Input, is_report_name

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, ValueError, RecursionError),  # the last where headers of tar files go on and on
)
_MB = 2**20
_HEADERS = _MB
"""Bytes that a tar file may spend on the headers of one member: long names and whatever else may be told there."""


class _Packed:
    """What archives and tables share: members told apart, and trouble that ends them recorded, not raised."""

    kind = "archive"
    damaged: tuple[type[Exception], ...] = _DAMAGED
    """What reading raises where the container is not what it should be."""

    def __init__(self, place: Path, limits: Limits) -> None:
        self.place = place.resolve()
        self._limits = limits
        self._most = limits.file_mb * _MB

    def count(self) -> int | None:
        return None

    def members(self) -> Iterator[Input]:
        """The reports; raises what is ``damaged``, or _Trouble, where it cannot go on."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Input]:
        trouble = ""
        try:
            yield from self.members()
        except _Trouble as error:
            trouble = str(error)
        except FileNotFoundError:
            trouble = f"{self.place.name} does not exist"
        except self.damaged as error:
            trouble = f"{self.place.name} is damaged or no {self.kind}: {' '.join(str(error).split()) or 'cut off'}"
        yield Input(self.place, "", self.place.name, self.place.stem, trouble=trouble, end=True)

    def _too_large(self, name: str) -> str:
        return f"{name} is larger than the limit of {self._limits.file_mb} MB"

    def _allowance(self) -> _Allowance:
        return _Allowance(self.place.name, self._limits)


class _Trouble(Exception):
    """Why the rest of a container is not read."""


class _Allowance:
    """What may still be unpacked of a container."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name, self._limits = name, limits
        self.left = limits.archive_mb * _MB

    def take(self, size: int) -> None:
        """Raises _Trouble once there is more than the limit."""
        self.left -= size
        if self.left < 0:
            raise _Trouble(
                f"{self._name} unpacks to more than the limit of {self._limits.archive_mb:,} MB; it may be a "
                "bomb, else raise --limit archive_mb"
            )


class _Distinct:
    """Gives each of several equal names a number, from the second on."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def __call__(self, name: str) -> str:
        found, number = name, 1
        while found in self._given:
            number += 1
            found = f"{name}#{number}"
        self._given.add(found)
        return found


class _Archive(_Packed):
    def taken(self, members: Iterable[tuple[str, int, Any]]) -> Iterator[Input]:
        """Reports of ``members``: name, size as the archive states it, how to open it."""
        distinct = _Distinct()
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
        except _DAMAGED:
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

    def __init__(self, start: Callable[[], IO[bytes]], allowance: _Allowance) -> None:
        self._file = start()
        self._allowance = allowance
        self._at = 0
        self.fence: int | None = None

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._allowance.left + 1))
        self._allowance.take(len(data))
        self._at += len(data)
        if self.fence is not None and self._at > self.fence + tarfile.RECORDSIZE:  # which it reads ahead
            raise _Trouble(
                f"the archive has a member whose headers alone are more than {_HEADERS // _MB} MB; it is refused"
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


class _Table(_Packed):
    kind = "table"
    damaged = (*_DAMAGED, LookupError, TypeError, AttributeError, NotImplementedError)  # pyarrow's, datasets'

    def __init__(self, place: Path, text: str, identity: str | None, limits: Limits) -> None:
        super().__init__(place, limits)
        self._text, self._identity = text, identity

    def columns(self, names: Iterable[str]) -> list[str]:
        """The columns to read, of those there are: the text's, and the identity's if there is one."""
        names = list(names)
        wanted = [self._text, *([self._identity] if self._identity else ["id"] if "id" in names else [])]
        for column in wanted:
            if column not in names:
                raise _Trouble(
                    f"{self.place.name} has no column {column!r}, but {', '.join(map(str, names))}; "
                    "name one with --text-column and --id-column"
                )
        return wanted

    def rows(self, rows: Iterable[dict[str, Any]], columns: list[str], under: str = "") -> Iterator[Input]:
        """A report a row."""
        distinct, allowance = _Distinct(), self._allowance()
        for number, row in enumerate(rows):
            doc = f"{self.place.stem}-{number}" if len(columns) == 1 else str(row[columns[1]])
            inside = distinct(f"{under}/{doc}" if under else doc)
            text = row[columns[0]]
            if not isinstance(text, str):
                yield Input(self.place, inside, doc, doc, under, trouble=f"row {number} has no text")
                continue
            size = len(text.encode("utf-8", "surrogatepass"))
            allowance.take(size)
            if size > self._most:
                yield Input(self.place, inside, doc, doc, under, trouble=self._too_large(f"row {number}"))
            else:
                yield Input(self.place, inside, doc, doc, under, text=text)


class Parquet(_Table):
    """A Parquet file, a report a row."""

    kind = "Parquet file"

    def count(self) -> int | None:
        try:
            with _parquet(self.place) as file:
                return int(file.metadata.num_rows)
        except self.damaged:
            return 1

    def members(self) -> Iterator[Input]:
        with _parquet(self.place) as file:
            columns = self.columns(file.schema_arrow.names)
            yield from self.rows(self._unpacked(file, columns), columns)

    def _unpacked(self, file: pq.ParquetFile, columns: list[str]) -> Iterator[dict[str, Any]]:
        """The rows one at a time: the file holds equal texts once, and many of them may be more than fits in memory."""
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            chunks = [group.column(i) for i in range(group.num_columns)]
            size = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in columns)
            if size > group.num_rows * self._most:  # then a page of it may be too, and is unpacked in one piece
                raise _Trouble(
                    f"rows of {self.place.name} are larger than the limit of {self._limits.file_mb} MB; "
                    "raise --limit file_mb"
                )
            for batch in file.iter_batches(1, row_groups=[number], columns=columns):
                yield from batch.to_pylist()


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(f"reading {path.name}, a Parquet file,", "tables") from None
    return pq.ParquetFile(path)


class Dataset(_Table):
    """A folder that ``datasets``' ``save_to_disk`` wrote, a report a row; of several splits every one."""

    kind = "dataset"

    def _splits(self) -> dict[str, Any]:
        try:
            from datasets import DatasetDict, load_from_disk
        except ImportError:
            raise MissingExtraError(f"reading {self.place.name}, a dataset,", "train") from None
        found = load_from_disk(str(self.place))
        return dict(found) if isinstance(found, DatasetDict) else {"": found}

    def count(self) -> int | None:
        try:
            return sum(map(len, self._splits().values()))
        except self.damaged:
            return 1

    def members(self) -> Iterator[Input]:
        for split, rows in self._splits().items():
            columns = self.columns(rows.column_names)
            yield from self.rows(iter(rows.select_columns(columns)), columns, split)
