"""From two files to their comparison, written as a page and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.errors import ConfigError, DataError
from ...data.files import write_text
from ...data.labels import DEFAULT_LABELS
from ...data.limits import DEFAULT_LIMITS, Limits
from ...data.read import read_report
from ...data.records import load_reports
from ...data.report import Report
from ..names import safe
from .links import NEEDED, Comparison, compare, title
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
) -> Comparison:
    """Compare two reports: files of any kind that is read, or .jsonl records whose labels are taken as they are.

    Args:
        annotator: gives the model; called only where a report is not labelled yet.

    Raises:
        ReadError: a report cannot be read.
        DataError: a .jsonl file holds no labelled report, or several.
        ConfigError: the model has other labels than those that are compared.
    """
    return compare(_labelled(earlier, annotator, limits), _labelled(later, annotator, limits), encoder)


def write_comparison(comparison: Comparison, out: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write ``OUT/EARLIER--LATER.html`` and ``.json``; returns the paths.

    Raises:
        ConfigError: no format, or an unknown one.
    """
    if not formats or set(formats) - set(FORMATS):
        raise ConfigError(f"formats are {', '.join(formats) or 'none'}, expected some of {', '.join(FORMATS)}")
    name = safe("--".join(Path(report.doc).stem for report in (comparison.earlier, comparison.later)))
    written = []
    for kind in formats:
        path = out / f"{name}.{kind}"
        if kind == "html":
            write_text(path, page(comparison))
        else:
            write_text(path, json.dumps(comparison.as_dict(), ensure_ascii=False, indent=1) + "\n")
        written.append(path)
    return written


def wrong_order(earlier: Report, later: Report) -> bool:
    """Whether the titles' years say that the reports were named the wrong way round."""
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
            f"the model does not give the label {missing[0]!r}, which comparing needs; name another model"
        )
    return model.annotate(report)


_YEAR = re.compile("(?:19|20)[0-9]{2}")
