"""Word: marks the sentences in a copy of the original .docx; for reports in other formats, in a new document."""

from __future__ import annotations

from pathlib import Path

from ....base.files import replacing_bytes
from ....data.labels import LabelSet
from ....data.readers import Source, detect
from ....data.readers import word as reader
from ....data.report import Report
from .fresh import write_fresh
from .original import write_marked

__all__ = ["write"]


def write(report: Report, labels: LabelSet, path: Path, source: Source | None) -> None:
    """Write ``report`` as the Word document ``path``.

    Args:
        source: the file that was read; None always makes a new document.

    Raises:
        ReadError: the source is a .docx that cannot be copied.
    """
    with replacing_bytes(path) as out:
        if source is not None and detect(source).read is reader.read:
            write_marked(report, labels, source, out)
        else:
            write_fresh(report, labels, out)
