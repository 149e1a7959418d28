"""Word: the original .docx with its sentences marked; for reports of other formats a clean new document."""

from __future__ import annotations

from pathlib import Path

from ....data.errors import ReadError
from ....data.files import replacing_bytes
from ....data.labels import LabelSet
from ....data.limits import DEFAULT_LIMITS
from ....data.readers import Source, detect
from ....data.readers import word as reader
from ....data.report import Report
from .fresh import write_fresh
from .original import write_marked

__all__ = ["write"]


def write(report: Report, labels: LabelSet, path: Path, source: Path | None) -> None:
    """Write ``report`` as the Word document ``path``.

    Args:
        source: the file that the report was read from; None makes a new document in any case.

    Raises:
        ReadError: the source is a .docx that vanished or changed since it was read, or that cannot be copied.
    """
    original = _original(source) if source is not None else None
    with replacing_bytes(path) as out:
        if source is not None and original is not None:
            write_marked(report, labels, original, source, out)
        else:
            write_fresh(report, labels, out)


def _original(source: Path) -> bytes | None:
    """The bytes of a .docx, told by content like everywhere; None for other formats."""
    try:
        data = source.read_bytes()
    except OSError as error:
        raise ReadError(f"{source} cannot be read again: {error.strerror}") from None
    format = detect(Source(data, source, DEFAULT_LIMITS))
    return data if format.read is reader.read else None
