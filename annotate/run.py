"""Batch annotation: files in, annotated files out, each whole or absent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.errors import ConfigError, MissingExtraError, ReadError
from ..data.files import write_records, write_text
from ..data.labels import LabelSet
from ..data.limits import DEFAULT_LIMITS, Limits
from ..data.read import SUFFIXES, read_report
from ..data.report import Report
from .metrics import rows, write_csv
from .page import page

if TYPE_CHECKING:
    from ..models.annotator import Annotator

FORMATS = ("jsonl", "html", "txt", "metrics")


@dataclass
class RunResult:
    """What a run did: files written, inputs that failed with the reason."""

    written: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    reports: int = 0
    sentences: int = 0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "reports": self.reports,
            "sentences": self.sentences,
            "written": [str(path) for path in self.written],
            "failed": [{"path": str(path), "reason": reason} for path, reason in self.failed],
        }


def expand(inputs: Iterable[Path]) -> list[Path]:
    """Files as named; folders as the reports anywhere in them, in the order of their names.

    Raises:
        ReadError: there is no report at all.
    """
    paths: list[Path] = []
    for path in inputs:
        if path.is_dir():
            found = (p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES)
            paths.extend(sorted(p for p in found if not p.name.startswith((".", "~$"))))
        else:
            paths.append(path)
    if not paths:
        raise ReadError(f"there is no report ({', '.join(sorted(SUFFIXES))}) in the folders that were named")
    return paths


def annotate_files(
    paths: Sequence[Path],
    out: Path,
    annotator: Annotator,
    formats: Sequence[str] = ("jsonl",),
    *,
    limits: Limits = DEFAULT_LIMITS,
    watch: Callable[[int], None] = lambda done: None,
) -> RunResult:
    """Annotate ``paths`` into the folder ``out``; ``watch`` is told how many are done.

    Raises:
        ConfigError: no format, or an unknown one.
    """
    if not formats:
        raise ConfigError(f"no format is named, expected some of {', '.join(FORMATS)}")
    if unknown := [f for f in formats if f not in FORMATS]:
        raise ConfigError(f"unknown format {unknown[0]!r}, expected some of {', '.join(FORMATS)}")
    result = RunResult()
    for done, (path, name) in enumerate(zip(paths, output_names(paths), strict=True), 1):
        try:
            report = annotator.annotate(read_report(path, limits=limits))
        except (ReadError, MissingExtraError) as error:
            result.failed.append((path, str(error)))
        else:
            result.written += write_report(report, out, name, formats, annotator.about.labels)
            result.reports += 1
            result.sentences += sum(s.kind == "sentence" for s in report.sentences)
        watch(done)
    return result


def write_report(report: Report, out: Path, name: str, formats: Sequence[str], labels: LabelSet) -> list[Path]:
    """Write one annotated report as ``out/name.<format>`` (``metrics``: ``name.metrics.csv``); returns the paths."""
    written = []
    for kind in formats:
        path = out / f"{name}.{'metrics.csv' if kind == 'metrics' else kind}"
        if kind == "jsonl":
            write_records(path, report.records())
        elif kind == "html":
            write_text(path, page(report, labels))
        elif kind == "metrics":
            write_csv(path, rows(report))
        else:
            write_text(path, report.text)
        written.append(path)
    return written


def output_names(paths: Sequence[Path]) -> list[str]:
    """A name for each input: its stem; where stems meet, the whole file name; where these meet too, a number after it.

    Names are compared without regard to case, as Windows does.
    """
    stems = Counter(path.stem.casefold() for path in paths)
    names: list[str] = []
    taken: set[str] = set()
    for path in paths:
        base = path.stem if stems[path.stem.casefold()] == 1 else path.name
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
