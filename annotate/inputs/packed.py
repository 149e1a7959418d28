"""Reads reports out of archives and tables one by one, without unpacking anything to disk.

The names in an archive and the ids in a table are data: pizhu shows and records them, but never uses them as paths.
"""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ...base.limits import Limits
from .base import Input

DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, ValueError, LookupError, ArithmeticError, NotImplementedError),
    RecursionError,  # from endless headers in tar files
)
"""The exceptions that reading a damaged container may raise."""
MB = 2**20
MEMBERS = 200_000
"""The most files in an archive: their headers stay in memory, and an archive of 10 kB can list millions of files."""
_NAME = 4096
"""The longest name of a file in an archive or table, in characters; paths on Linux have the same limit."""
MEMBER = 4096
"""Bytes counted for each row of a table besides its text, about what a file takes on a disk; a row may take none."""


class Packed:
    """What archives and tables share: distinct names for their members, and an error that is recorded, not raised."""

    kind = "archive"
    damaged: tuple[type[Exception], ...] = DAMAGED
    """The exceptions that reading a damaged container may raise."""

    def __init__(self, place: Path, limits: Limits) -> None:
        self.place = place.resolve()
        self._limits = limits
        self._most = limits.file_mb * MB

    def count(self) -> int | None:
        return None

    def members(self) -> Iterator[Input]:
        """The reports; raises one of ``damaged``, or Trouble, if it cannot read on."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Input]:
        trouble = ""
        try:
            yield from self.members()
        except Trouble as error:
            trouble = str(error)
        except FileNotFoundError:
            trouble = f"{self.place.name} does not exist"
        except self.damaged as error:
            trouble = f"{self.place.name} is damaged or not a {self.kind}: {said(error) or 'cut off'}"
        yield Input(self.place, "", self.place.name, self.place.stem, trouble=trouble, end=True)

    def _too_large(self, name: str) -> str:
        return f"{name} is larger than the limit of {self._limits.file_mb} MB"

    def _check_name(self, name: str) -> None:
        """Raises Trouble if a name is too long, since all names are kept in memory."""
        if len(name) > _NAME:
            raise Trouble(f"{self.place.name} has a name of more than {_NAME:,} characters; it is refused")

    def _allowance(self) -> Allowance:
        return Allowance(self.place.name, self._limits)


def said(error: Exception) -> str:
    """An error's message on one line, cut short: the container may have put any amount of text into it."""
    return " ".join(str(error)[:500].split())[:200]


class Trouble(Exception):
    """The rest of a container cannot be read; the message says why."""


class Allowance:
    """How many more bytes may be unpacked from a container."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name, self._limits = name, limits
        self.left = limits.archive_mb * MB

    def take(self, size: int) -> None:
        """Count ``size`` bytes; raises Trouble above the limit."""
        self.left -= size
        if self.left < 0:
            raise Trouble(
                f"{self._name} unpacks to more than {self._limits.archive_mb:,} MB, perhaps a zip bomb; if you trust "
                "it, raise --limit archive_mb"
            )


class Distinct:
    """Makes names distinct: numbers equal names, from the second on."""

    def __init__(self, mark: str = "#") -> None:
        self._mark = mark
        self._last: dict[str, int] = {}
        """The last number given to each name; numbered names are names too."""

    def __call__(self, name: str) -> str:
        found, number = name, self._last.get(name, 0) + 1
        if number > 1:
            while (found := f"{name}{self._mark}{number}") in self._last:
                number += 1
            self._last[found] = 1
        self._last[name] = number
        return found
