"""One table over the records of many reports, after a run or long after it."""

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
    """Write the records in ``inputs`` (JSON Lines files, or folders of them) as the table ``out``; returns how many.

    Raises:
        ConfigError: ``out`` is one of the files, or its name ends in no format that holds many reports.
        DataError: there is no file, or one of them is wrong.
        MissingExtraError: the format needs packages that are not installed.
    """
    distinct = Distinct("-")
    named = {distinct(name): path for name, path in _expand(inputs, out)}
    if not named:
        raise DataError("there are no records (.jsonl) in the folders that were named")
    if out.exists() and any(path.exists() and path.samefile(out) for path in named.values()):
        raise ConfigError(f"{out} is one of the files to read; name another with --out")
    writers.write_table(out, writers.stored(named.items(), labels), labels)
    return len(named)


def _expand(inputs: Iterable[Path], out: Path) -> Iterator[tuple[str, Path]]:
    """Reports with their names: as seen from the folder that was named, where a run called them so."""
    for path in inputs:
        if path.is_dir():
            for found in records_in(path):
                if not (out.exists() and found.samefile(out)):  # a table that an earlier call wrote there
                    yield found.relative_to(path).with_suffix("").as_posix(), found
        else:
            yield path.stem, path


def records_in(folder: Path) -> Iterator[Path]:
    """The records of reports anywhere in ``folder``, where what a run made of all its reports is none."""
    together: set[Path] = set()
    found: list[Path] = []
    for here, entries in walk(folder):
        for entry in entries:
            if entry.name == WHOLE and is_run(here):
                together.add(here / WHOLE)
            elif entry.name.endswith(".jsonl") and not entry.name.startswith(".") and kind(entry) == "file":
                found.append(here / entry.name)
    yield from (path for path in sorted(found) if together.isdisjoint(path.parents))
