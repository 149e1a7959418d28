"""Finds reports: single files, folders, patterns, lists, archives and tables.

Everything is read lazily, so a million reports take no more memory than one.
"""

from __future__ import annotations

import codecs
import glob
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...base.errors import ConfigError, ReadError
from ...base.inside import is_link, kind
from ...base.limits import DEFAULT_LIMITS, Limits
from ...data.encoding import decode
from ...data.read import SUFFIXES
from .base import STDIN, Input, Source, is_report_name
from .patterns import matching

MANIFEST = "manifest.json"
MANIFEST_BEGINS = b'{\n"pizhu run": '
"""The first bytes of a run folder's manifest. Run folders hold outputs, so they are not searched for reports."""


class Inputs:
    """The reports of several sources, each once, in the order of the sources; can be iterated repeatedly."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = list(sources)

    def count(self) -> int | None:
        """How many inputs there are; None where a source cannot tell."""
        total = 0
        for source in self._sources:
            if (found := source.count()) is None:
                return None
            total += found
        return total

    def check_out(self, out: Path) -> None:
        """Check that the inputs are outside the folder ``out``, so that no output overwrites an input.

        Output names thus depend only on the inputs' names, not on the files already in ``out``.

        Raises:
            ConfigError: an input is in ``out``.
        """
        for source in self._sources:
            places = [] if source.place == STDIN else [source.place, source.place.resolve()]
            if any(out == place or out in place.parents for place in places):
                raise ConfigError(f"input {source.place} is inside the output folder; choose another with --out")
            if isinstance(source, Folder) and source.reaches(out):
                raise ConfigError(f"the output folder {out} contains input reports; choose another with --out")

    def __iter__(self) -> Iterator[Input]:
        seen: set[tuple[Path, str]] = set()
        for source in self._sources:
            for item in source:
                if (identity := (item.place, item.inside)) not in seen:
                    seen.add(identity)
                    yield item


class File:
    """A single report; its content decides the format, whatever its name."""

    def __init__(self, path: Path) -> None:
        self._report = Input.file(path)
        self.place = self._report.place

    def count(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Input]:
        yield self._report


class Folder:
    """The reports anywhere in a folder, sorted by name; skips archives, hidden files and run folders."""

    def __init__(self, path: Path) -> None:
        self.place = path.resolve()

    def count(self) -> int:
        return sum(1 for _ in _walk(self.place))

    def __iter__(self) -> Iterator[Input]:
        for path, under in _walk(self.place):
            yield Input.file(path, under)

    def reaches(self, folder: Path) -> bool:
        """Whether some of the reports are in ``folder``; False for a run folder."""
        if self.place not in folder.parents or not folder.is_dir() or is_run(folder):
            return False
        return any(folder in path.parents for path, _ in _walk(self.place))


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """The reports below ``folder``, each with the folders in between; does not follow links to folders."""
    waiting = [(folder, "", True)]
    while waiting:
        path, under, is_folder = waiting.pop()
        if not is_folder:
            yield path, under
            continue
        try:
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            raise ReadError(f"folder {path} cannot be read: {error.strerror}") from None
        for entry in entries:
            inner = path / entry.name
            if entry.name.startswith((".", "~$")):
                continue
            if entry.is_dir(follow_symlinks=False):
                if not is_link(inner) and not is_run(inner):
                    waiting.append((inner, f"{under}/{entry.name}" if under else entry.name, True))
            elif is_report_name(entry.name) and kind(entry) == "file":
                waiting.append((inner, under, False))


def is_run(folder: Path) -> bool:
    """Whether ``folder`` is a run folder."""
    path = folder / MANIFEST
    try:
        with path.open("rb") if path.is_file() else io.BytesIO() as file:  # opening a pipe would block
            return file.read(len(MANIFEST_BEGINS)) == MANIFEST_BEGINS
    except OSError:
        return False


class StandardInput:
    """One report from the standard input; its content decides the format."""

    place = STDIN

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._data: bytes | None = None

    def count(self) -> int:
        return 1

    def __getstate__(self) -> dict[str, Any]:
        """Include the bytes read, since another process has another standard input."""
        self._read()
        return self.__dict__

    def _read(self) -> bytes:
        if self._data is None:
            self._data = sys.stdin.buffer.read(self._limits.file_mb * 2**20 + 1)
        return self._data

    def __iter__(self) -> Iterator[Input]:
        data = self._read()
        if len(data) > self._limits.file_mb * 2**20:
            trouble = f"the standard input is larger than the limit of {self._limits.file_mb} MB"
            yield Input(STDIN, "", "stdin", "stdin", trouble=trouble)
        else:
            yield Input(STDIN, "", "stdin", "stdin", data=data)


ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def is_dataset(folder: Path) -> bool:
    """Whether ``save_to_disk`` of the package ``datasets`` wrote this folder."""
    return (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file()


def find(
    words: Iterable[str | Path],
    *,
    limits: Limits = DEFAULT_LIMITS,
    text_column: str = "text",
    id_column: str | None = None,
) -> Inputs:
    """The reports that ``words`` name.

    Args:
        words: each one of: a file; a folder, for the reports anywhere in it; a pattern with ``*``, ``?`` or ``**``; an
            archive (.zip, .tar, .tar.gz, …), for the reports in it; a Parquet file or a folder written by ``datasets``,
            with one report per row; ``@list.txt``, a file with such words, one per line (``@-`` reads the list from
            the standard input); ``-``, one report on the standard input. A ``Path`` is always a path.
        text_column: the column of Parquet files and datasets with the reports' texts.
        id_column: the column with the reports' names; None takes the column ``id`` if there is one, else numbers the
            rows.

    Raises:
        ReadError: a list cannot be read, a pattern matches nothing, or there is no report at all.
        ConfigError: a list names another list.
    """
    from .tabular import Dataset, Parquet
    from .tars import Tar
    from .zips import Zip

    def source(path: Path) -> Source:
        name = path.name.lower()
        if name.endswith(".parquet"):
            return Parquet(path, text_column, id_column, limits)
        if name.endswith(ARCHIVES) and not path.is_dir():
            return Zip(path, limits) if name.endswith(".zip") else Tar(path, limits)
        if is_dataset(path):
            return Dataset(path, text_column, id_column, limits)
        return Folder(path) if path.is_dir() else File(path)

    def sources(words: Iterable[str | Path], listed: bool) -> Iterator[Source]:
        for word in words:
            if isinstance(word, Path):
                yield source(word)
            elif word == "-":
                yield StandardInput(limits)
            elif word.startswith("@") and not Path(word).exists():
                if listed:
                    raise ConfigError(f"a list of reports names another list, {word}; name that on the command line")
                yield from sources(_listed(word[1:], limits), True)
            elif glob.has_magic(word) and not Path(word).exists():
                yield from map(source, _matching(word))
            else:
                yield source(Path(word))

    found = Inputs(sources(words, False))
    if found.count() == 0:
        raise ReadError(f"no report found; supported: {', '.join(sorted(SUFFIXES))}")
    return found


def _listed(name: str, limits: Limits) -> list[str]:
    """The nonempty lines of a list; NUL also ends a line, as in the output of ``find -print0``."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise ReadError(f"the list {name} cannot be read: {error.strerror}") from None
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.replace(b"\0", b"\n")
    return [line for line in re.split(r"[\0\r\n]+", decode(data, name)) if line.strip()] if data else []


def _matching(pattern: str) -> list[Path]:
    found = [path for path in matching(pattern) if not path.name.startswith("~$")]
    if "**" in pattern:  # it matches folders as well as the files in them
        found = [path for path in found if not path.is_dir()]
    if not found:
        raise ReadError(f"no file matches the pattern {pattern}")
    return found
