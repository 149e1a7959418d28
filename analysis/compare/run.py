"""Compares two files and writes the comparison as a page and as JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...annotate.inputs.base import Input
from ...annotate.run.names import safe
from ...base.errors import ConfigError, DataError
from ...base.files import write_text
from ...base.limits import DEFAULT_LIMITS, Limits
from ...base.progress import Progress, silent
from ...data.labels import DEFAULT_LABELS
from ...data.read import read_report
from ...data.rebuild import load_reports
from ...data.report import Report
from .links import NEEDED, Comparison, compare_reports, title
from .page import page
from .similarity import Encodes

if TYPE_CHECKING:
    from ...models.annotator import Annotator

FORMATS = ("html", "json")


def compare_files(
    earlier: Path,
    later: Path,
    annotator: Callable[[], Annotator],
    encoder: Encodes | None,
    *,
    limits: Limits = DEFAULT_LIMITS,
    tell: Progress = silent,
) -> Comparison:
    """Compare two reports: files of any supported format, or .jsonl records, whose labels are used unchanged.

    Args:
        annotator: loads the model; called only if a report is not labelled yet.
        tell: called at the start of each step.

    Raises:
        ReadError: a report cannot be read.
        DataError: a .jsonl file holds no labelled report, or several.
        ConfigError: the model lacks a label that comparing needs.
    """

    def labelled(path: Path, number: int) -> Report:
        tell(f"Reading and labelling: {path.name}", number, 2)
        return _labelled(path, annotator, limits)

    one, other = labelled(earlier, 0), labelled(later, 1)
    tell("Comparing", 0)
    return compare_reports(one, other, encoder)


def check(formats: Sequence[str]) -> None:
    """Raises a ConfigError if there is no format, or an unknown one."""
    if not formats or set(formats) - set(FORMATS):
        raise ConfigError(f"formats are {', '.join(formats) or 'none'}, expected some of {', '.join(FORMATS)}")


def write_comparison(
    comparison: Comparison, files: tuple[Path, Path], out: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Write ``OUT/EARLIER--LATER.html`` and ``.json``; returns the paths.

    If the files' names are equal, or a comparison of other files has the name, the names of their folders are added. It
    only ever replaces a comparison of the same files.

    Args:
        files: the earlier and the later one.

    Raises:
        ConfigError: there is no format, or an unknown one.
    """
    check(formats)
    pair = hashlib.sha256("\0".join(Input.file(path).key(out.resolve()) for path in files).encode()).hexdigest()[:16]
    name = _name(files, out, pair)
    written = []
    for kind in formats:
        path = out / f"{name}.{kind}"
        if kind == "html":
            write_text(path, f"{page(comparison)}<!-- {pair} -->\n")
        else:
            body = {"pair": pair, **comparison.as_dict()}
            write_text(path, json.dumps(body, ensure_ascii=False, indent=1) + "\n")
        written.append(path)
    return written


def _name(files: tuple[Path, Path], out: Path, pair: str) -> str:
    """The first name that is free or belongs to an earlier comparison of the same files."""
    stems = "--".join(path.stem for path in files)
    placed = "--".join(f"{path.stem}-{path.absolute().parent.name}" for path in files)
    names = [safe(text) for text in (stems, placed, f"{stems}-{pair}")]
    if files[0].stem == files[1].stem:
        names.pop(0)
    return next((name for name in names if _free(out, name, pair)), names[-1])


def _free(out: Path, name: str, pair: str) -> bool:
    paths = [path for kind in FORMATS if (path := out / f"{name}.{kind}").exists()]
    return all(pair in path.read_text(encoding="utf-8", errors="replace") for path in paths)


def wrong_order(earlier: Report, later: Report) -> bool:
    """Whether the years in the titles show that the reports were given in the wrong order."""
    years = [_YEAR.search(title(report)) for report in (earlier, later)]
    return years[0] is not None and years[1] is not None and int(years[0][0]) > int(years[1][0])


def _labelled(path: Path, annotator: Callable[[], Annotator], limits: Limits) -> Report:
    if path.suffix.lower() == ".jsonl":
        reports = load_reports(path, DEFAULT_LABELS)
        if len(reports) != 1:
            raise DataError(f"{path} holds {len(reports)} reports, expected the records of one")
        return reports[0]
    report = read_report(path, limits=limits)
    model = annotator()
    if missing := [name for name in NEEDED if name not in model.about.labels.names]:
        raise ConfigError(
            f"the model does not give the label {missing[0]!r}, which comparing needs; choose another model"
        )
    return model.annotate(report)


_YEAR = re.compile("(?:19|20)[0-9]{2}")
