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
    *(EOFError, OSError, ValueError, NotImplementedError),
    RecursionError,  # where headers of tar files go on and on
)
"""What reading raises where a container is not what it should be."""
MB = 2**20


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
            trouble = f"{self.place.name} is damaged or no {self.kind}: {' '.join(str(error).split()) or 'cut off'}"
        yield Input(self.place, "", self.place.name, self.place.stem, trouble=trouble, end=True)

    def _too_large(self, name: str) -> str:
        return f"{name} is larger than the limit of {self._limits.file_mb} MB"

    def _allowance(self) -> Allowance:
        return Allowance(self.place.name, self._limits)


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
                f"{self._name} unpacks to more than the limit of {self._limits.archive_mb:,} MB; it may be a "
                "bomb, else raise --limit archive_mb"
            )


class Distinct:
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
