"""Types and rows that all tables share; CSV and Parquet have the same columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...data.labels import LabelSet
from ...data.records import Record, load_records

Reports = Iterable[tuple[str, Iterable[Record]]]
"""Reports by name, each with its records (docs/records.md); they can be read once, in order."""

TableWriter = Callable[[Reports, LabelSet, Path], None]
"""Writes the records of many reports to one path; the same records give the same bytes."""


@dataclass(frozen=True)
class Annotated:
    """A report of a complete run.

    Attributes:
        name: the name of its outputs, with ``/`` between folders.
        records: the file with its records (JSON Lines).
        sentences: the number of its sentences.
    """

    name: str
    records: Path
    sentences: int


@dataclass(frozen=True)
class Complete:
    """A complete run.

    Attributes:
        reports: its reports, in the order of the manifest.
        failed: inputs that failed, as the manifest names them, each with the reason.
        part_size: the most sentences a part may hold, for formats that have parts.
    """

    reports: Sequence[Annotated]
    failed: Sequence[tuple[str, str]] = ()
    part_size: int = 100_000


WholeWriter = Callable[[Path, LabelSet, Complete], list[Path]]
"""Writes files for a complete run into a folder and returns their paths; the same run gives the same bytes."""


def stored(named: Iterable[tuple[str, Path]], labels: LabelSet) -> Reports:
    """The reports in JSON Lines files by name, read lazily.

    Raises, while the records are read:
        DataError: a file or a record in it is malformed; the message names it.
    """
    return ((name, _stored(path, labels)) for name, path in named)


def _stored(path: Path, labels: LabelSet) -> Iterator[Record]:
    for record in load_records(path, labels):
        yield {"id": "", "kind": "sentence", "headings": [], "labels": None, **record}


def rows(reports: Reports) -> Iterator[Record]:
    """Every record, with the unique name of its report as its first field."""
    for name, records in reports:
        for record in records:
            yield {"report": name, **record}
