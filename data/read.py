"""Reads a report: a file in any supported format becomes its text and its sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.ahead import taken_ahead
from ..base.errors import PizhuError, ReadError
from ..base.limits import DEFAULT_LIMITS, Limits, over
from .readers import Source, detect
from .report import Report
from .segment import Hint, spans

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["SUFFIXES", "Limits", "load_source", "read_report", "read_reports", "read_source", "report_from_text"]

SUFFIXES = (".txt", ".html", ".htm", ".mht", ".mhtml", ".docx", ".docm", ".doc", ".wps", ".odt", ".rtf", ".pdf")
"""Endings of reports in a folder; the format of a file that is named on its own depends on its content alone."""

_AHEAD = 8  # files that are submitted for reading before their report is needed


def read_report(path: str | Path, *, limits: Limits = DEFAULT_LIMITS, isolated: bool = True) -> Report:
    """Read the report in the file ``path``; its content, not its name, decides the format.

    Text in any usual Chinese encoding, web pages (.html, .mht), Word (.docx), PDF with a text layer, and through
    LibreOffice .doc, .wps, .rtf and .odt.

    Args:
        isolated: read it in a separate process, which is kept for the next files and may use no more time and memory
            than ``limits`` allow. False reads it in this process, for files that are trusted: one that hangs or
            crashes the reader then hangs or crashes the program.

    Raises:
        ReadError: the file is not a readable report: missing, empty, not text, over a limit, without sentences, or its
            reader was killed; the message is one sentence.
        MissingExtraError: its format needs packages that are not installed.
    """
    source = load_source(path, limits)
    if not isolated:
        return read_source(source)
    from .isolation.messages import Question
    from .isolation.pool import shared

    return shared().submit(Question.of(source)).result()


def read_reports(paths: Iterable[str | Path], *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Report | PizhuError]:
    """:func:`read_report` for several files, some of them at the same time: yields, in order, a report or its error."""
    from .isolation.messages import Question
    from .isolation.pool import shared

    def submit(path: str | Path) -> Future[Report] | PizhuError:
        try:
            return shared().submit(Question.of(load_source(path, limits)))
        except PizhuError as error:
            return error

    for found in taken_ahead(map(submit, paths), _AHEAD):
        if isinstance(found, PizhuError):
            yield found
            continue
        try:
            report = found.result()
        except PizhuError as error:
            yield error
        else:
            yield report


def load_source(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> Source:
    """The bytes of the file ``path``; a ReadError if it is missing, not a file, or larger than the limit."""
    path = Path(path)
    return Source(_bytes(path, limits), path, limits)


def read_source(source: Source) -> Report:
    """:func:`read_report` for bytes in memory, such as a member of an archive."""
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
