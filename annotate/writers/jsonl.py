"""JSON Lines: the records as they are, for programs."""

from __future__ import annotations

from pathlib import Path

from ...base.files import write_records
from ...data.labels import LabelSet
from .table import Reports, rows


def write(reports: Reports, labels: LabelSet, path: Path) -> None:
    """Write the records of all ``reports``, each with the name of its report."""
    write_records(path, rows(reports))
