"""One input is one report, wherever it is stored; a source holds several of them."""

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
    """One report to annotate; can be pickled and so sent to another process.

    Attributes:
        place: the file, or the archive or table that holds the report; absolute, except ``-`` for the standard input.
        inside: its name inside the archive or table: data, never used as a path; empty for a file.
        doc: its name, with the extension if it has one.
        stem: the preferred name of its outputs.
        under: the folders between the command line's argument and the report, separated by ``/``.
        data: its bytes, if the container can only be read front to back.
        text: its text, if it comes from a table.
        trouble: why it cannot be read, if that is already known.
        end: True for the end of an archive or table, which is not a report but can carry a ``trouble``.
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
        # We resolve the folder, so that one file has one name, but not the file: a report keeps the name of its link.
        return cls(resolved(path.parent.absolute()) / path.name, "", path.name, path.stem, under)

    @property
    def size(self) -> int:
        """The bytes of its content; 0 if it has none, or nobody knows."""
        if self.data is not None:
            return len(self.data)
        if self.text is not None:
            return len(self.text)
        if self.trouble or self.end:  # ``place`` may be a whole archive or table
            return 0
        try:
            return self.place.stat().st_size
        except OSError:
            return 0

    @property
    def shown(self) -> str:
        """Its name in messages."""
        return f"{self.place}!/{self.inside}" if self.inside else str(self.place)

    def key(self, out: Path) -> str:
        """Its key in the manifest of the folder ``out``: its path relative to ``out``, the same on every machine."""
        if self.place == STDIN:
            return "-"
        try:
            path = os.path.relpath(self.place, out).replace(os.sep, "/")
        except ValueError:  # another drive
            path = self.place.as_posix()
        return f"{path}!/{self.inside}" if self.inside else path


STDIN = Path("-")


class Source(Protocol):
    """A file, folder or container that holds reports.

    Attributes:
        place: its absolute path.
    """

    place: Path

    def count(self) -> int | None:
        """How many reports it holds; None if only reading all of it would tell."""

    def __iter__(self) -> Iterator[Input]: ...


@lru_cache(maxsize=4096)
def resolved(folder: Path) -> Path:
    return folder.resolve()


def is_report_name(name: str) -> bool:
    """Whether a file with this name in a folder or archive counts as a report."""
    return name.lower().endswith(SUFFIXES) and not name.startswith((".", "~$"))
