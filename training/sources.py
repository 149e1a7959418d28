"""The data to train on: the shipped corpus, the user's labelled records, or both."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import DataError
from ..data.corpus.load import load_corpus
from ..data.labels import DEFAULT_LABELS, LabelSet
from ..data.rebuild import load_reports
from ..data.report import Report
from .provenance import fingerprint_reports, recorded


@dataclass(frozen=True)
class Sources:
    """Training and validation reports with their label set; no report is in both.

    Attributes:
        origin: where they come from, JSON-ready: ``corpus`` (whether the shipped corpus is included) and ``files``,
            each with ``name`` and the ``fingerprint`` of its reports.
    """

    training: list[Report]
    validation: list[Report]
    labels: LabelSet
    origin: dict[str, Any]


def gather(paths: Sequence[Path], labels: LabelSet = DEFAULT_LABELS, *, corpus: bool = True) -> Sources:
    """Load and divide the reports of ``paths``; with ``corpus``, add the shipped training and validation splits."""
    reports: list[Report] = []
    files = []
    for path in paths:
        found = load_reports(path, labels)
        files.append({"name": recorded(path), "fingerprint": fingerprint_reports(found)})
        reports += found
    shipped = [c.report for c in load_corpus(split="train")] if corpus else []
    training, validation = divide(reports, _labels(shipped))
    training += shipped
    if corpus:
        validation += [c.report for c in load_corpus(split="validation")]
    return Sources(training, validation, labels, {"corpus": corpus, "files": files})


def divide(reports: Sequence[Report], taught: Set[str] = frozenset()) -> tuple[list[Report], list[Report]]:
    """Training and validation reports.

    One in five, chosen by its name's checksum, goes to validation, so that it stays there when more reports are
    labelled later; except if it alone has a label that no training report has (nor ``taught``).
    """
    chosen = [zlib.crc32(report.doc.encode("utf-8")) % 5 == 0 for report in reports]
    training = [report for report, kept in zip(reports, chosen, strict=True) if not kept]
    validation: list[Report] = []
    known = taught | _labels(training)
    for report in (report for report, kept in zip(reports, chosen, strict=True) if kept):
        own = _labels([report])
        (validation if own <= known else training).append(report)
        known |= own
    return training, validation


def check_labels(reports: Iterable[Report], labels: LabelSet) -> None:
    """Raise a DataError if ``reports`` have a label that is not in ``labels``."""
    if unknown := {n for r in reports for s in r.sentences for n in s.labels or ()} - set(labels.names):
        raise DataError(
            f"the data have the label {min(unknown)!r}, which is not in the label set {', '.join(labels.names)}"
        )


def _labels(reports: Sequence[Report]) -> set[str]:
    """The labels that occur on sentences."""
    return {name for r in reports for s in r.sentences if s.kind == "sentence" for name in s.labels or ()}
