"""Batch annotation: files in, annotated files out, each whole or absent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.errors import MissingExtraError, ReadError
from ..data.labels import LabelSet
from ..data.limits import DEFAULT_LIMITS, Limits
from ..data.read import SUFFIXES, read_report
from ..data.report import Report
from . import writers

if TYPE_CHECKING:
    from ..models.annotator import Annotator


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
        MissingExtraError: a format needs packages that are not installed.
    """
    writers.check(formats)
    result = RunResult()
    names = writers.spare_inputs(output_names(paths), out, formats, paths)
    for done, (path, name) in enumerate(zip(paths, names, strict=True), 1):
        try:
            report = annotator.annotate(read_report(path, limits=limits))
            written = write_report(report, out, name, formats, annotator.about.labels, path)
        except (ReadError, MissingExtraError) as error:
            result.failed.append((path, str(error)))
        else:
            result.written += written
            result.reports += 1
            result.sentences += sum(s.kind == "sentence" for s in report.sentences)
        watch(done)
    return result


def write_report(
    report: Report, out: Path, name: str, formats: Sequence[str], labels: LabelSet, source: Path | None = None
) -> list[Path]:
    """Write one annotated report, read from ``source``, as ``out/name.<format>``; returns the paths."""
    written = []
    for kind in formats:
        path = out / f"{name}.{kind}"
        writers.write(kind, report, labels, path, source)
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
