"""What a run can write: formats of one report, and formats of all reports together.

A format of one report is a function that writes a file, whole or not at all (``data/files.py``). A format of all
reports is made of the reports' records when a run is complete, so that what was done before a kill is in it.
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
from ..index import write_index
from ..page import page
from .parts import jsonl_parts, parquet_parts


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


Writer = Callable[[Report, LabelSet, Path, Source | None], None]
"""Writes a report to a path; the source is the file as it was read, None where a table held the text."""

WholeWriter = Callable[[Path, LabelSet, Iterable[Annotated], int], list[Path]]
"""Writes into a folder what is made of all reports, in the order of the manifest; the number is the most sentences a
part may hold, for formats that have parts. Returns the files; the same reports give the same bytes."""


def _jsonl(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_records(path, report.records())


def _html(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_text(path, page(report, labels))


def _txt(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    write_text(path, report.text)


REPORT: Mapping[str, Writer] = {"jsonl": _jsonl, "html": _html, "txt": _txt}
WHOLE: Mapping[str, WholeWriter] = {"jsonl-parts": jsonl_parts, "parquet-parts": parquet_parts, "index": write_index}
NEEDS: Mapping[str, tuple[str, str]] = {"parquet-parts": ("pyarrow", "tables")}
"""Formats that need a package, and the extra that brings it."""


def check_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """``formats`` in a fixed order, each once; ``jsonl`` with them where something is made of it.

    Raises:
        ConfigError: no format, or an unknown one.
        MissingExtraError: one needs a package that is not installed.
    """
    known = (*REPORT, *WHOLE)
    wanted = set(formats)
    if not wanted:
        raise ConfigError(f"no format is named, expected some of {', '.join(known)}")
    if unknown := sorted(wanted - set(known)):
        raise ConfigError(f"unknown format {unknown[0]!r}, expected some of {', '.join(known)}")
    for name in sorted(wanted & set(NEEDS)):
        package, extra = NEEDS[name]
        if find_spec(package) is None:
            raise MissingExtraError(f"the format {name}", extra)
    if wanted & set(WHOLE):
        wanted.add("jsonl")
    return tuple(name for name in known if name in wanted)
