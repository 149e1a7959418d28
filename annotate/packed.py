"""Reports packed into archives and tables, taken out one by one: nothing is unpacked to disk.

The names in an archive and the identities in a table are data: they are shown and recorded, and never used as paths.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from ..data.errors import MissingExtraError
from ..data.limits import Limits
from .inputs import Input, is_report_name

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, OSError, ValueError)
_ROWS_AT_ONCE = 64


class _Packed:
    """What archives and tables share: members told apart, and trouble that ends them recorded, not raised."""

    kind = "archive"

    def __init__(self, place: Path) -> None:
        self.place = place.resolve()

    def count(self) -> int | None:
        return None

    def members(self) -> Iterator[Input]:
        """The reports; raises _DAMAGED or _Trouble where it cannot go on."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Input]:
        trouble = ""
        try:
            yield from self.members()
        except _Trouble as error:
            trouble = str(error)
        except FileNotFoundError:
            trouble = f"{self.place.name} does not exist"
        except _DAMAGED as error:
            trouble = f"{self.place.name} is damaged or no {self.kind}: {' '.join(str(error).split()) or 'cut off'}"
        yield Input(self.place, "", self.place.name, self.place.stem, trouble=trouble, end=True)


class _Trouble(Exception):
    """Why the rest of a container is not read."""


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
    def __init__(self, place: Path, limits: Limits) -> None:
        super().__init__(place)
        self._limits = limits

    def taken(self, members: Iterable[tuple[str, int, Any]]) -> Iterator[Input]:
        """Reports of ``members``: name, size as the archive states it, how to open it."""
        distinct = _Distinct()
        left = self._limits.archive_mb * 2**20
        most = self._limits.file_mb * 2**20
        for name, stated, start in members:
            path = PurePosixPath(name.replace("\\", "/"))
            if not is_report_name(path.name) or "__MACOSX" in path.parts:
                continue
            under = "/".join(path.parts[:-1])
            made = partial(Input, self.place, distinct(name), path.name, path.stem, under)
            try:
                if stated > most:
                    raise _Trouble(f"{path.name} is larger than the limit of {self._limits.file_mb} MB")
                with start() as file:
                    data = file.read(min(most, left) + 1)  # the size that is stated may be a lie
            except _Trouble as error:
                yield made(trouble=str(error))
                continue
            except RuntimeError:  # zipfile's word for a password
                yield made(trouble=f"{path.name} is protected by a password; pack it without one")
                continue
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                yield made(trouble=f"{path.name} cannot be unpacked: {error}")
                continue
            left -= len(data)
            if left < 0:
                raise _Trouble(
                    f"{self.place.name} unpacks to more than the limit of {self._limits.archive_mb:,} MB; it may be a "
                    "bomb, else raise --limit archive_mb"
                )
            if len(data) > most:
                yield made(trouble=f"{path.name} is larger than the limit of {self._limits.file_mb} MB")
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
        with zipfile.ZipFile(self.place) as archive:
            yield from self.taken(
                (_zip_name(info), info.file_size, partial(archive.open, info))
                for info in archive.infolist()
                if not info.is_dir()
            )


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
        with tarfile.open(self.place, "r|*") as archive:  # a stream: read once, front to back
            yield from self.taken(
                (member.name, member.size, partial(_member, archive, member))
                for member in _forgotten(archive)
                if member.isreg()
            )


def _forgotten(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, of which tarfile would keep every one it has passed."""
    for member in archive:
        yield member
        archive.members.clear()  # type: ignore[attr-defined]


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    if file is None:
        raise _Trouble(f"{member.name} is no file")
    return file


class _Table(_Packed):
    kind = "table"

    def __init__(self, place: Path, text: str, identity: str | None) -> None:
        super().__init__(place)
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
        distinct = _Distinct()
        for number, row in enumerate(rows):
            doc = f"{self.place.stem}-{number}" if len(columns) == 1 else str(row[columns[1]])
            inside = distinct(f"{under}/{doc}" if under else doc)
            text = row[columns[0]]
            if isinstance(text, str):
                yield Input(self.place, inside, doc, doc, under, text=text)
            else:
                yield Input(self.place, inside, doc, doc, under, trouble=f"row {number} has no text")


class Parquet(_Table):
    """A Parquet file, a report a row."""

    kind = "Parquet file"

    def count(self) -> int | None:
        try:
            with _parquet(self.place) as file:
                return int(file.metadata.num_rows)
        except (*_DAMAGED, RuntimeError):
            return 1

    def members(self) -> Iterator[Input]:
        with _parquet(self.place) as file:
            columns = self.columns(file.schema_arrow.names)
            batches = file.iter_batches(_ROWS_AT_ONCE, columns=columns)
            yield from self.rows((row for batch in batches for row in batch.to_pylist()), columns)


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
        except _DAMAGED:
            return 1

    def members(self) -> Iterator[Input]:
        for split, rows in self._splits().items():
            columns = self.columns(rows.column_names)
            yield from self.rows(iter(rows.select_columns(columns)), columns, split)
