"""The formats of annotated reports: one file each, and here the list of them.

A format of one report writes a file, whole or not at all (``data/files.py``); those that are tables also write many
reports as one table (:func:`write_run`). A format of a whole run is made of the reports' records when the run is
complete, so that what was done before a kill is in it. A format whose packages are missing is told before the work
begins, not after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ...data.errors import ConfigError, MissingExtraError
from ...data.files import write_records, write_text
from ...data.labels import LabelSet
from ...data.readers import Source
from ...data.report import Report
from .. import metrics
from ..index import write_index
from ..page import page
from . import csv, excel, jsonl, parquet, word
from .parts import jsonl_parts, parquet_parts
from .table import Reports, stored

__all__ = ["REPORT", "TABLES", "WHOLE", "Annotated", "Reports", "check", "stored", "write", "write_run"]

_Writer = Callable[[Report, LabelSet, Path, Source | None], None]
_TableWriter = Callable[[Reports, LabelSet, Path], None]


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


_WholeWriter = Callable[[Path, LabelSet, Iterable[Annotated], int], list[Path]]
"""Writes into a folder what is made of all reports, in the order of the manifest; the number is the most sentences a
part may hold. Returns the files; the same reports give the same bytes."""


@dataclass(frozen=True)
class Format:
    """One kind of file for a report.

    Attributes:
        about: what it is, for the command line's help.
        write: writes one report to a path; the last argument is the file as it was read, None where there is none.
        write_run: writes the records of many reports to one path; None where the format has no such file.
        packages: modules that it needs beyond the base, all of the extra ``tables``.
        ending: of the file's name; empty where it is the format's name.
    """

    about: str
    write: _Writer
    write_run: _TableWriter | None = None
    packages: tuple[str, ...] = ()
    ending: str = ""


@dataclass(frozen=True)
class WholeFormat:
    """Files made of all reports of a run; ``about`` and ``packages`` as in :class:`Format`."""

    about: str
    write: _WholeWriter
    packages: tuple[str, ...] = ()


def _of_one(write_run: _TableWriter) -> _Writer:
    """A table over a single report."""
    return lambda report, labels, path, source: write_run([(path.stem, report.records())], labels, path)


def _write_records(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_records(path, report.records())


def _write_page(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_text(path, page(report, labels))


def _write_metrics(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    metrics.write_csv(path, metrics.rows(report))


def _write_text(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_text(path, report.text)


REPORT: Mapping[str, Format] = {
    "jsonl": Format("records for programs", _write_records, jsonl.write),
    "html": Format("a page to open in a browser", _write_page),
    "txt": Format("the extracted text", _write_text),
    "docx": Format("the report in Word, sentences coloured and commented on", word.write),
    "xlsx": Format("an Excel workbook, a row a sentence", _of_one(excel.write), excel.write, ("xlsxwriter",)),
    "csv": Format("a table for programs", _of_one(csv.write), csv.write),
    "parquet": Format("a typed table for programs", _of_one(parquet.write), parquet.write, ("pyarrow",)),
    "metrics": Format("a table of its quantities", _write_metrics, ending="metrics.csv"),
}
"""Formats of one report, by name."""

WHOLE: Mapping[str, WholeFormat] = {
    "jsonl-parts": WholeFormat("numbered files of records", jsonl_parts),
    "parquet-parts": WholeFormat("the same as tables", parquet_parts, ("pyarrow",)),
    "index": WholeFormat("a page with a row a report", write_index),
}
"""Formats of a whole run, by name."""

TABLES = tuple(name for name, format in REPORT.items() if format.write_run is not None)
"""Formats that hold many reports in one file."""


def about(formats: Mapping[str, Format] | Mapping[str, WholeFormat]) -> str:
    """The formats with what each is, for help texts."""
    return ", ".join(f"{name} ({format.about})" for name, format in formats.items())


def check(names: Iterable[str], known: Iterable[str] = (*REPORT, *WHOLE)) -> tuple[str, ...]:
    """``names`` in a fixed order, each once; ``jsonl`` with them where something is made of it.

    Raises:
        ConfigError: there is none, or an unknown one.
        MissingExtraError: one needs packages that are not installed.
    """
    known, wanted = tuple(known), set(names)
    if not wanted:
        raise ConfigError(f"no format is named, expected some of {', '.join(known)}")
    if unknown := sorted(wanted - set(known)):
        raise ConfigError(f"unknown format {unknown[0]!r}, expected some of {', '.join(known)}")
    for name in sorted(wanted):
        packages = REPORT[name].packages if name in REPORT else WHOLE[name].packages
        if any(find_spec(package) is None for package in packages):
            raise MissingExtraError(f"the format {name}", "tables")
    if wanted & set(WHOLE):
        wanted.add("jsonl")
    return tuple(name for name in known if name in wanted)


def write(name: str, report: Report, labels: LabelSet, path: Path, source: Source | None = None) -> None:
    """Write one annotated report as ``path`` in the format ``name``; ``source`` is the file as it was read."""
    REPORT[name].write(report, labels, path, source)


def write_run(path: Path, reports: Reports, labels: LabelSet) -> None:
    """Write the records of many reports as one table; its format is told by the name (``结果.xlsx``).

    Raises:
        ConfigError: the name ends in no format that holds many reports.
        MissingExtraError: the format needs packages that are not installed.
    """
    name = path.suffix.removeprefix(".").lower()
    if name not in TABLES:
        raise ConfigError(f"{path} names no table, expected a name that ends in .{', .'.join(TABLES)}")
    check([name], TABLES)
    writer = REPORT[name].write_run
    assert writer is not None
    writer(reports, labels, path)
