"""What to train on: the shipped corpus, labelled records of one's own, or both."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.corpus import load_corpus
from ..data.labels import DEFAULT_LABELS, LabelSet
from ..data.records import load_reports
from ..data.report import Report
from .provenance import fingerprint_reports


@dataclass(frozen=True)
class Sources:
    """Training and validation reports with their label set; no report stands on both sides.

    Attributes:
        origin: where they come from, JSON-ready: ``corpus`` (whether the shipped one is among them) and ``files``, each
            with ``name`` and the ``fingerprint`` of its reports.
    """

    training: list[Report]
    validation: list[Report]
    labels: LabelSet
    origin: dict[str, Any]


def gather(paths: Sequence[Path], labels: LabelSet = DEFAULT_LABELS, *, corpus: bool = True) -> Sources:
    """Load the reports of ``paths`` and, with ``corpus``, the shipped training and validation splits.

    A report of one's own goes to validation if its name's checksum says so (one in five), so that it stays on its side
    when more reports are labelled later; but never the only ones that have a label, since nothing would teach it.
    """
    training: list[Report] = []
    validation: list[Report] = []
    files = []
    for path in paths:
        found = load_reports(path, labels)
        files.append({"name": _name(path), "fingerprint": fingerprint_reports(found)})
        for report in found:
            (validation if zlib.crc32(report.doc.encode("utf-8")) % 5 == 0 else training).append(report)
    if corpus:
        training += [c.report for c in load_corpus(split="train")]
    taught = _labels(training)
    for report in validation.copy():
        if own := _labels([report]) - taught:
            taught |= own
            validation.remove(report)
            training.append(report)
    if corpus:
        validation += [c.report for c in load_corpus(split="validation")]
    return Sources(training, validation, labels, {"corpus": corpus, "files": files})


def labelled(reports: Sequence[Report]) -> list[Report]:
    """Those with at least one labelled sentence."""
    return [r for r in reports if any(s.kind == "sentence" and s.labels is not None for s in r.sentences)]


def _name(path: Path) -> str:
    # What lies above the working folder concerns nobody who is given the model.
    return path.name if path.is_absolute() else path.as_posix()


def _labels(reports: Sequence[Report]) -> set[str]:
    """Those that occur on sentences."""
    return {name for r in reports for s in r.sentences if s.kind == "sentence" for name in s.labels or ()}
