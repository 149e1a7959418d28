"""The output formats, and the list of them.

Some formats have one file per report (:func:`write`). Others have one file for all reports of a run, written from the
records once the run is complete, so that reports annotated before a kill are included. Some of the first kind are
tables, which can also hold the records of many reports in one file (:func:`write_table`). :func:`check` finds missing
packages before the work begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ...base.errors import ConfigError, MissingExtraError
from ...base.files import write_records, write_text
from ...data.labels import LabelSet
from ...data.readers import Source
from ...data.report import Report
from . import csv, excel, jsonl, parquet, word
from . import quantities as metrics
from .index import write_index
from .page import pieces
from .parts import one, parts
from .table import Annotated, Complete, Reports, TableWriter, WholeWriter, stored

__all__ = [
    "FORMATS",
    "REPORT",
    "TABLES",
    "WHOLE",
    "Annotated",
    "Complete",
    "Format",
    "Reports",
    "check",
    "stored",
    "write",
    "write_table",
]

_Writer = Callable[[Report, LabelSet, Path, Source | None], None]


@dataclass(frozen=True)
class Format:
    """One kind of output.

    Attributes:
        about: a short description.
        write: writes one report to a path; the last argument is the file that was read, None if the text came from a
            table. None if the format has one file for all reports.
        table: writes the records of many reports to one path; None if the format cannot hold them.
        whole: writes the files for all reports of a run; None if the format has one file per report.
        files: a pattern of the names of ``whole``'s files.
        packages: the modules that it needs beyond the base, all from the extra ``tables``.
        ending: the file's extension; empty if it is the format's name.
    """

    about: str
    write: _Writer | None = None
    table: TableWriter | None = None
    whole: WholeWriter | None = None
    files: str = ""
    packages: tuple[str, ...] = ()
    ending: str = ""


def _table(about: str, table: TableWriter, *packages: str) -> Format:
    """A format that writes each report as a table of its own."""

    def write(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
        table([(path.stem, report.records())], labels, path)

    return Format(about, write, table, packages=packages)


def _write_records(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_records(path, report.records())


def _write_page(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_text(path, pieces(report, labels))


def _write_text(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_text(path, report.text)


def _write_metrics(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    metrics.write_csv(path, metrics.rows(report))


_BOOK, _PART = "汇总.xlsx", "part-[0-9][0-9][0-9][0-9][0-9]*"

FORMATS: Mapping[str, Format] = {
    "jsonl": Format("records for programs", _write_records, jsonl.write),
    "html": Format("a page to open in a browser", _write_page),
    "txt": Format("the extracted text", _write_text),
    "docx": Format("the report in Word, sentences coloured and commented on", word.write),
    "xlsx": _table("an Excel workbook, a row a sentence", excel.write, "xlsxwriter"),
    "csv": _table("a table for programs", csv.write),
    "parquet": _table("a typed table for programs", parquet.write, "pyarrow"),
    "metrics": Format("a table of its quantities", _write_metrics, ending="metrics.csv"),
    "index": Format("a page that lists the run's reports", whole=write_index, files="index.html"),
    "xlsx-all": Format("a workbook over the run", whole=one(excel.write, _BOOK), files=_BOOK, packages=("xlsxwriter",)),
    "jsonl-parts": Format("numbered files of records", whole=parts(jsonl.write, "jsonl"), files=f"{_PART}.jsonl"),
    "parquet-parts": Format(
        "the same as typed tables",
        whole=parts(parquet.write, "parquet"),
        files=f"{_PART}.parquet",
        packages=("pyarrow",),
    ),
}
REPORT = tuple(name for name, format in FORMATS.items() if format.write is not None)
"""Formats with one file per report."""
TABLES = tuple(name for name, format in FORMATS.items() if format.table is not None)
"""Those among them that can hold many reports in one file."""
WHOLE = tuple(name for name, format in FORMATS.items() if format.whole is not None)
"""Formats with files for all reports of a run, in a separate folder (``names.WHOLE``)."""


def check(names: Iterable[str], known: Iterable[str] = FORMATS, labels: LabelSet | None = None) -> tuple[str, ...]:
    """``names`` in the order of ``known``, each once; adds ``jsonl`` if a format for all reports needs it.

    Args:
        labels: the model's labels, if they are known.

    Raises:
        ConfigError: there is no name, or an unknown one, or a format needs a label that the model does not give.
        MissingExtraError: a format needs packages that are not installed.
    """
    known, wanted = tuple(known), set(names)
    if not wanted:
        raise ConfigError(f"no format given, expected some of {', '.join(known)}")
    if unknown := sorted(wanted - set(known)):
        raise ConfigError(f"unknown format {unknown[0]!r}, expected some of {', '.join(known)}")
    for name in sorted(wanted):
        if any(find_spec(package) is None for package in FORMATS[name].packages):
            raise MissingExtraError(f"the format {name}", "tables")
    if labels is not None and "metrics" in wanted and "metric" not in labels.names:
        raise ConfigError("the format metrics needs the label 'metric', which the model does not give")
    if wanted & set(WHOLE):
        wanted.add("jsonl")
    return tuple(name for name in known if name in wanted)


def write(name: str, report: Report, labels: LabelSet, path: Path, source: Source | None = None) -> None:
    """Write one annotated report as ``path`` in the format ``name``, one of ``REPORT``.

    Args:
        source: the file that was read.

    Raises:
        ReadError: the format marks up the original file, and that cannot be copied.
        MissingExtraError: the format needs packages that are not installed.
    """
    writer = FORMATS[name].write
    assert writer is not None
    writer(report, labels, path, source)


def write_table(path: Path, reports: Reports, labels: LabelSet) -> None:
    """Write the records of many reports as one table; the extension of ``path`` decides the format (``结果.xlsx``).

    Raises:
        ConfigError: the extension is not that of a format for many reports.
        MissingExtraError: the format needs packages that are not installed.
    """
    name = path.suffix.removeprefix(".").lower()
    if name not in TABLES:
        raise ConfigError(f"{path} must end in .{', .'.join(TABLES)}")
    check([name], TABLES)
    table = FORMATS[name].table
    assert table is not None
    table(reports, labels, path)
