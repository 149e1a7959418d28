"""The formats of annotated reports: one file each, and here the list of them.

Every format writes one report (:func:`write`); those that are tables also write a whole run (:func:`write_run`). A
format whose packages are missing is told before the work begins (:func:`check`), not after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ...data.errors import ConfigError, MissingExtraError
from ...data.files import write_records, write_text
from ...data.labels import LabelSet
from ...data.report import Report
from ..page import page
from . import csv, excel, jsonl, parquet, word
from .table import Reports, stored

__all__ = ["FORMATS", "RUN_FORMATS", "Reports", "check", "spare_inputs", "stored", "write", "write_run"]

_Writer = Callable[[Report, LabelSet, Path, Path | None], None]
_RunWriter = Callable[[Reports, LabelSet, Path], None]


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes:
        about: what it is, for the command line's help.
        write: writes one report to a path; the last argument is the file that it was read from, None where there is
            none.
        write_run: writes the records of many reports to one path; None where the format has no such file.
        packages: modules that it needs beyond the base, all of the extra ``tables``.
    """

    about: str
    write: _Writer
    write_run: _RunWriter | None = None
    packages: tuple[str, ...] = ()


def _of_one(write_run: _RunWriter) -> _Writer:
    """A table over a single report."""
    return lambda report, labels, path, source: write_run([(path.stem, report.records())], labels, path)


def _write_records(report: Report, labels: LabelSet, path: Path, source: Path | None) -> None:
    write_records(path, report.records())


def _write_page(report: Report, labels: LabelSet, path: Path, source: Path | None) -> None:
    write_text(path, page(report, labels))


def _write_text(report: Report, labels: LabelSet, path: Path, source: Path | None) -> None:
    write_text(path, report.text)


_ALL = {
    "jsonl": Format("records for programs", _write_records, jsonl.write),
    "html": Format("a page to open in a browser", _write_page),
    "txt": Format("the extracted text", _write_text),
    "docx": Format("the report in Word, sentences coloured and commented on", word.write),
    "xlsx": Format("an Excel workbook, a row a sentence", _of_one(excel.write), excel.write, ("xlsxwriter",)),
    "csv": Format("a table for programs", _of_one(csv.write), csv.write),
    "parquet": Format("a typed table for programs", _of_one(parquet.write), parquet.write, ("pyarrow",)),
}
FORMATS = tuple(_ALL)
RUN_FORMATS = tuple(name for name, format in _ALL.items() if format.write_run is not None)


def about(names: Iterable[str] = FORMATS) -> str:
    """The formats with what each is, for help texts."""
    return ", ".join(f"{name} ({_ALL[name].about})" for name in names)


def check(names: Sequence[str], known: Sequence[str] = FORMATS) -> None:
    """See that formats can be written.

    Raises:
        ConfigError: there is none, or an unknown one.
        MissingExtraError: one needs packages that are not installed.
    """
    if not names:
        raise ConfigError(f"no format is named, expected some of {', '.join(known)}")
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"unknown format {unknown[0]!r}, expected some of {', '.join(known)}")
    for name in names:
        if any(find_spec(package) is None for package in _ALL[name].packages):
            raise MissingExtraError(f"the format {name}", "tables")


def write(name: str, report: Report, labels: LabelSet, path: Path, source: Path | None = None) -> None:
    """Write one annotated report as ``path`` in the format ``name``; ``source`` is the file that it was read from."""
    _ALL[name].write(report, labels, path, source)


def write_run(path: Path, reports: Reports, labels: LabelSet) -> None:
    """Write the records of many reports as one table; its format is told by the name (``结果.xlsx``).

    Raises:
        ConfigError: the name ends in no format that holds many reports.
        MissingExtraError: the format needs packages that are not installed.
    """
    name = path.suffix.removeprefix(".").lower()
    if name not in RUN_FORMATS:
        raise ConfigError(f"{path} names no table, expected a name that ends in .{', .'.join(RUN_FORMATS)}")
    check([name], RUN_FORMATS)
    writer = _ALL[name].write_run
    assert writer is not None
    writer(reports, labels, path)


def spare_inputs(names: Sequence[str], out: Path, formats: Collection[str], inputs: Iterable[Path]) -> list[str]:
    """``names`` for files in ``out``, changed where ``name.format`` would take the place of one of the ``inputs``.

    ``报告.docx`` written beside itself is ``报告.annotated.docx``, and its other formats are named alike.
    """
    kept = {identity for path in inputs if (identity := _identity(path)) is not None}
    taken = {name.casefold() for name in names}
    spared = []
    for name in names:
        base, new, number = f"{name}.annotated", name, 0
        while any(_identity(out / f"{new}.{kind}") in kept for kind in formats) or (
            new != name and new.casefold() in taken
        ):
            number += 1
            new = base if number == 1 else f"{base}-{number}"
        taken.add(new.casefold())
        spared.append(new)
    return spared


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file whatever it is called: through links, and where case makes no difference."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
