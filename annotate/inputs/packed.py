"""Reports packed into archives and tables, taken out one by one: nothing is unpacked to disk.

The names in an archive and the identities in a table are data: they are shown and recorded, and never used as paths.
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
    RecursionError,  # where headers of tar files go on and on
)
"""What reading raises where a container is not what it should be."""
MB = 2**20
MEMBERS = 200_000
"""The most files in an archive: what is known of each stays in memory, and 10 kB may hold millions of them."""
_NAME = 4096
"""The longest name of a file in an archive or table, in characters, as long as paths may be on Linux."""
MEMBER = 4096
"""Bytes that a row of a table counts for besides its text, about what a file takes on a disk: a row may take none."""


class Packed:
    """What archives and tables share: members told apart, and trouble that ends them recorded, not raised."""

    kind = "archive"
    damaged: tuple[type[Exception], ...] = DAMAGED
    """What reading raises where the container is not what it should be."""

    def __init__(self, place: Path, limits: Limits) -> None:
        self.place = place.resolve()
        self._limits = limits
        self._most = limits.file_mb * MB

    def count(self) -> int | None:
        return None

    def members(self) -> Iterator[Input]:
        """The reports; raises what is ``damaged``, or Trouble, where it cannot go on."""
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
            trouble = f"{self.place.name} is damaged or no {self.kind}: {said(error) or 'cut off'}"
        yield Input(self.place, "", self.place.name, self.place.stem, trouble=trouble, end=True)

    def _too_large(self, name: str) -> str:
        return f"{name} is larger than the limit of {self._limits.file_mb} MB"

    def _check_name(self, name: str) -> None:
        """Raises Trouble where a name is longer than names are: all are kept in memory."""
        if len(name) > _NAME:
            raise Trouble(f"{self.place.name} has a name of more than {_NAME:,} characters; it is refused")

    def _allowance(self) -> Allowance:
        return Allowance(self.place.name, self._limits)


def said(error: Exception) -> str:
    """What an error says, on one line and with no end of what the container made it say."""
    return " ".join(str(error)[:500].split())[:200]


class Trouble(Exception):
    """Why the rest of a container is not read."""


class Allowance:
    """What may still be unpacked of a container."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name, self._limits = name, limits
        self.left = limits.archive_mb * MB

    def take(self, size: int) -> None:
        """Raises Trouble once there is more than the limit."""
        self.left -= size
        if self.left < 0:
            raise Trouble(
                f"{self._name} unpacks to more than {self._limits.archive_mb:,} MB, perhaps a zip bomb; if you trust "
                "it, raise --limit archive_mb"
            )


class Distinct:
    """Gives each of several equal names a number, from the second on."""

    def __init__(self, mark: str = "#") -> None:
        self._mark = mark
        self._last: dict[str, int] = {}
        """The number that each name was given last; those with numbers are names too."""

    def __call__(self, name: str) -> str:
        found, number = name, self._last.get(name, 0) + 1
        if number > 1:
            while (found := f"{name}{self._mark}{number}") in self._last:
                number += 1
            self._last[found] = 1
        self._last[name] = number
        return found
