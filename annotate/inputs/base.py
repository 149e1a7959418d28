"""What an input is: one report, wherever it lies, and what holds several of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from ...data.read import SUFFIXES


@dataclass(frozen=True, slots=True)
class Input:
    """One report to annotate; can be pickled, so that it may be sent to another process.

    Attributes:
        place: the file, or the archive or table that holds the report; absolute, but for ``-``, the standard input.
        inside: where it is in there, as the archive or table says: data, never used as a path; empty for a file.
        doc: its name, with the extension where it has one.
        stem: what its outputs would be called if nothing else was.
        under: the folders between what was named on the command line and the report, ``/`` between them.
        data: its bytes, where they had to be read to get past them.
        text: its text, where a table holds that.
        trouble: why it cannot be read, where that is known already.
        end: True for the end of an archive or table, which is no report and can only be in trouble.
    """

    place: Path
    inside: str
    doc: str
    stem: str
    under: str = ""
    data: bytes | None = None
    text: str | None = None
    trouble: str = ""
    end: bool = False

    @classmethod
    def file(cls, path: Path, under: str = "") -> Input:
        """A report in a file of its own."""
        # Its folder is resolved, so that one file has one name; the file itself not: a link's name is the report's.
        return cls(resolved(path.parent.absolute()) / path.name, "", path.name, path.stem, under)

    @property
    def shown(self) -> str:
        """What messages call it."""
        return f"{self.place}!/{self.inside}" if self.inside else str(self.place)

    def key(self, out: Path) -> str:
        """What the manifest in the folder ``out`` calls it: its path as seen from there, the same on every machine."""
        if self.place == STDIN:
            return "-"
        try:
            path = os.path.relpath(self.place, out).replace(os.sep, "/")
        except ValueError:  # another drive
            path = self.place.as_posix()
        return f"{path}!/{self.inside}" if self.inside else path


STDIN = Path("-")


class Source(Protocol):
    """Something that holds reports.

    Attributes:
        place: where it lies, absolute.
    """

    place: Path

    def count(self) -> int | None:
        """How many, where that can be told without reading them all."""

    def __iter__(self) -> Iterator[Input]: ...


@lru_cache(maxsize=4096)
def resolved(folder: Path) -> Path:
    return folder.resolve()


def is_report_name(name: str) -> bool:
    """Whether a file in a folder or archive is taken for a report."""
    return name.lower().endswith(SUFFIXES) and not name.startswith((".", "~$"))
