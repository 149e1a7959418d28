"""The records of reports as the rows of one table: the same columns in CSV and Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...data.labels import LabelSet
from ...data.records import Record, load_records

Reports = Iterable[tuple[str, Iterable[Record]]]
"""Reports by name, each with its records (docs/records.md); read once, one after the other."""

TableWriter = Callable[[Reports, LabelSet, Path], None]
"""Writes the records of many reports to one path; the same records give the same bytes."""


@dataclass(frozen=True)
class Annotated:
    """A report of a complete run.

    Attributes:
        name: what its outputs are called, ``/`` between folders.
        records: the file of its records (JSON Lines).
        sentences: how many it has.
    """

    name: str
    records: Path
    sentences: int


@dataclass(frozen=True)
class Complete:
    """A run in which nothing is left to do.

    Attributes:
        reports: in the order of the manifest.
        failed: inputs that failed, as the manifest names them, each with the reason.
        part_size: the most sentences a part may hold, for formats that have parts.
    """

    reports: Sequence[Annotated]
    failed: Sequence[tuple[str, str]] = ()
    part_size: int = 100_000


WholeWriter = Callable[[Path, LabelSet, Complete], list[Path]]
"""Writes into a folder what is made of a complete run. Returns the files; the same run gives the same bytes."""


def stored(named: Iterable[tuple[str, Path]], labels: LabelSet) -> Reports:
    """The reports in JSON Lines files by name, read as they are asked for.

    Raises, while they are read:
        DataError: a file or a record in it is wrong; the message names it.
    """
    return ((name, _stored(path, labels)) for name, path in named)


def _stored(path: Path, labels: LabelSet) -> Iterator[Record]:
    for record in load_records(path, labels):
        yield {"id": "", "kind": "sentence", "headings": [], "labels": None, **record}


def rows(reports: Reports) -> Iterator[Record]:
    """Every record with the name of its report, which tells two files of one name apart, in front."""
    for name, records in reports:
        for record in records:
            yield {"report": name, **record}
