"""Writes one table from the records of many reports, independently of any run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...base.errors import ConfigError, DataError
from ...base.inside import kind, walk
from ...data.labels import LabelSet
from .. import writers
from ..inputs.find import is_run
from ..inputs.packed import Distinct
from .names import WHOLE


def table_of(inputs: Iterable[Path], out: Path, labels: LabelSet) -> int:
    """Write the records in ``inputs`` (JSON Lines files, or folders of them) as the table ``out``.

    Returns how many files it read.

    Raises:
        ConfigError: ``out`` is one of the files, or its extension is not that of a format for many reports.
        DataError: there is no file, or one of them is malformed.
        MissingExtraError: the format needs packages that are not installed.
    """
    distinct = Distinct("-")
    named = {distinct(name): path for name, path in _expand(inputs, out)}
    if not named:
        raise DataError("no records (.jsonl) found in the given folders")
    if out.exists() and any(path.exists() and path.samefile(out) for path in named.values()):
        raise ConfigError(f"{out} is one of the files to read; name another with --out")
    writers.write_table(out, writers.stored(named.items(), labels), labels)
    return len(named)


def _expand(inputs: Iterable[Path], out: Path) -> Iterator[tuple[str, Path]]:
    """The files with their reports' names: the path relative to the given folder, which is the name that a run gave."""
    for path in inputs:
        if path.is_dir():
            for found in records_in(path):
                if not (out.exists() and found.samefile(out)):  # an earlier call may have written the table there
                    yield found.relative_to(path).with_suffix("").as_posix(), found
        else:
            yield path.stem, path


def records_in(folder: Path) -> Iterator[Path]:
    """The record files of single reports anywhere in ``folder``; skips what a run made from all its reports."""
    together: set[Path] = set()
    found: list[Path] = []
    for here, entries in walk(folder):
        for entry in entries:
            if entry.name == WHOLE and is_run(here):
                together.add(here / WHOLE)
            elif entry.name.endswith(".jsonl") and not entry.name.startswith(".") and kind(entry) == "file":
                found.append(here / entry.name)
    yield from (path for path in sorted(found) if together.isdisjoint(path.parents))
