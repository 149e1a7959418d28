"""Read a report: any supported file in, its text and its sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..base.errors import ReadError
from ..base.limits import DEFAULT_LIMITS, Limits, over
from .readers import Source, detect
from .report import Report
from .segment import Hint, spans

__all__ = ["SUFFIXES", "Limits", "load_source", "read_report", "read_source", "report_from_text"]

SUFFIXES = (".txt", ".html", ".htm", ".mht", ".mhtml", ".docx", ".docm", ".doc", ".wps", ".odt", ".rtf", ".pdf")
"""Names that reports in a folder have; a file named on its own is told by its content, whatever its name."""


def read_report(path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Report:
    """Read the report in the file ``path``; its kind is told by its content, not by its name.

    Text in any usual Chinese encoding, web pages (.html, .mht), Word (.docx), PDF with a text layer, and through
    LibreOffice .doc, .wps, .rtf and .odt.

    Raises:
        ReadError: in one sentence, why the file is no report: missing, empty, not text, over a limit, no sentences.
        MissingExtraError: its format needs packages that are not installed.
    """
    return read_source(load_source(path, limits))


def load_source(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> Source:
    """The bytes of the file ``path``; a ReadError where it is missing, no file, or over the limit of size."""
    path = Path(path)
    return Source(_bytes(path, limits), path, limits)


def read_source(source: Source) -> Report:
    """:func:`read_report` for bytes that are at hand, such as a member of an archive."""
    if not source.data:
        raise ReadError(f"{source.name} is empty")
    extract = detect(source).read(source)
    return report_from_text(extract.text, source.name, extract.hints, limits=source.limits)


def report_from_text(
    text: str, doc: str, hints: Mapping[int, Hint] | None = None, *, limits: Limits = DEFAULT_LIMITS
) -> Report:
    """Split ``text`` into the sentences, headings and furniture of the report called ``doc``."""
    if len(text) > limits.characters:
        raise ReadError(over(doc, f"{len(text):,} characters", "characters", limits))
    if not text.strip():
        raise ReadError(f"{doc} is empty")
    if (longest := max(_line_lengths(text))) > limits.line:
        raise ReadError(over(doc, f"a line of {longest:,} characters", "line", limits))
    if (lines := text.count("\n")) > limits.lines:
        raise ReadError(over(doc, f"{lines:,} lines", "lines", limits))
    report = Report.build(doc, text, spans(text, hints))
    if not any(s.kind == "sentence" for s in report.sentences):
        raise ReadError(f"{doc} holds no sentence")
    return report


def _bytes(path: Path, limits: Limits) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limits.file_mb * 2**20 + 1)
    except FileNotFoundError:
        raise ReadError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise ReadError(f"{path} is a folder; name the files in it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ReadError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > limits.file_mb * 2**20:
        raise ReadError(f"{path.name} is larger than the limit of {limits.file_mb} MB")
    return data


def _line_lengths(text: str) -> Iterator[int]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield end - start
        start = end + 1
    yield len(text) - start
