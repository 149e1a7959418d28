"""One table over the records of many reports, after a run or long after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..data.errors import ConfigError, DataError
from ..data.labels import LabelSet
from . import writers
from .names import WHOLE


def table_of(inputs: Iterable[Path], out: Path, labels: LabelSet) -> int:
    """Write the records in ``inputs`` (JSON Lines files, or folders of them) as the table ``out``; returns how many.

    Raises:
        ConfigError: ``out`` is one of the files, or its name ends in no format that holds many reports.
        DataError: there is no file, or one of them is wrong.
        MissingExtraError: the format needs packages that are not installed.
    """
    paths = list(_expand(inputs, out))
    if not paths:
        raise DataError("there are no records (.jsonl) in the folders that were named")
    if out.exists() and any(path.exists() and path.samefile(out) for path in paths):
        raise ConfigError(f"{out} is one of the files to read; name another with --out")
    writers.write_run(out, writers.stored(_named(paths), labels), labels)
    return len(paths)


def _named(paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Each with its stem; where stems meet, a number after it."""
    seen: Counter[str] = Counter()
    for path in paths:
        seen[path.stem] += 1
        yield (path.stem if seen[path.stem] == 1 else f"{path.stem}-{seen[path.stem]}"), path


def _expand(inputs: Iterable[Path], out: Path) -> Iterator[Path]:
    for path in inputs:
        if path.is_dir():  # a table that an earlier call wrote there is none of the reports
            found = sorted(p for p in path.rglob("*.jsonl") if p.is_file() and not p.name.startswith("."))
            together = path / WHOLE  # where a run keeps what is made of all reports
            yield from (p for p in found if together not in p.parents and not (out.exists() and p.samefile(out)))
        else:
            yield path
