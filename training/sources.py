"""What to train on: the shipped corpus, labelled records of one's own, or both."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data.corpus import load_corpus
from ..data.labels import DEFAULT_LABELS, LabelSet
from ..data.records import load_reports
from ..data.report import Report


@dataclass(frozen=True)
class Sources:
    """Training and validation reports with their label set; no report stands on both sides."""

    training: list[Report]
    validation: list[Report]
    labels: LabelSet


def gather(paths: Sequence[Path], label_file: Path | None = None, *, corpus: bool = True) -> Sources:
    """Load the reports of ``paths`` and, with ``corpus``, the shipped training and validation splits.

    A report of one's own goes to validation if its name's checksum says so (one in five), so that it stays on its side
    when more reports are labelled later.
    """
    labels = LabelSet.load(label_file) if label_file else DEFAULT_LABELS
    training: list[Report] = []
    validation: list[Report] = []
    for report in (r for path in paths for r in load_reports(path, labels)):
        (validation if zlib.crc32(report.doc.encode("utf-8")) % 5 == 0 else training).append(report)
    if corpus:
        training += [c.report for c in load_corpus(split="train")]
        validation += [c.report for c in load_corpus(split="validation")]
    return Sources(training, validation, labels)
