"""The reading of a run's inputs, begun before it is needed; one that fails is told and stops no other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...base.ahead import taken_ahead
from ...base.errors import ConfigError, MissingExtraError, ReadError
from ...base.limits import Limits
from ...base.os_errors import describe, is_systemic
from ...data.isolation.messages import Question
from ...data.isolation.pool import Reader, shared
from ...data.read import load_source
from ...data.readers import Source
from ...data.report import Report
from ..inputs.base import Input

_AHEAD = 8


@dataclass(frozen=True)
class Reading:
    """An input that was read.

    Attributes:
        sha256: of its content; empty where there was none, or where it failed for what does not lie in it.
        report: None where it cannot be read, or need not be.
        source: the file it was read from, None where a table held the text.
        reason: why it cannot be read.
    """

    sha256: str
    report: Report | None = None
    source: Source | None = None
    reason: str = ""


def read_inputs(
    items: Iterable[Input], limits: Limits, but: Callable[[Input], bool] = lambda item: False
) -> Iterator[tuple[Input, Callable[[], Reading]]]:
    """Each input with what gives its reading, in order; some are being read before they are asked for.

    Args:
        but: which are not to be read; their reading is empty.
    """
    reports = (item for item in items if not item.end or item.trouble)
    begun = ((item, partial(Reading, "") if but(item) else begin_reading(item, limits, shared())) for item in reports)
    return taken_ahead(begun, _AHEAD)


def begin_reading(
    item: Input, limits: Limits, reader: Reader, wanted: Callable[[str], bool] = lambda sha256: True
) -> Callable[[], Reading]:
    """Have one input read by ``reader``; the result waits for that.

    Args:
        wanted: whether the report is, told by the SHA-256 of its content; else it is not read.
    """
    digest = ""
    source = None
    try:
        if item.trouble:
            raise ReadError(item.trouble)
        if item.text is not None:
            digest = hashlib.sha256(item.text.encode("utf-8", "surrogatepass")).hexdigest()
        else:
            source = load_source(item.place, limits) if item.data is None else Source(item.data, Path(item.doc), limits)
            digest = hashlib.sha256(source.data).hexdigest()
        if not wanted(digest):
            return lambda: Reading(digest)
        question = Question.of_text(item.text or "", item.doc, limits) if source is None else Question.of(source)
        pending = reader.submit(question)
    except Exception as error:
        reading = failed("read", item.doc, digest, error)
        return lambda: reading

    def result() -> Reading:
        try:
            return Reading(digest, pending.result(), source)
        except Exception as error:
            return failed("read", item.doc, digest, error)

    return result


def failed(what: str, doc: str, sha256: str, error: Exception) -> Reading:
    """What a report comes to that could not be read, labelled or written (``what``): it must not stop thousands.

    Where the reason does not lie in the report, no SHA-256 is kept, so that the next run tries it again. What would
    meet every other report too is raised.
    """
    if isinstance(error, ReadError):  # such as a .docx that cannot be copied
        return Reading(sha256, reason=str(error))
    if isinstance(error, MissingExtraError):
        return Reading("", reason=str(error))
    if isinstance(error, ConfigError):  # no process can be begun that reads
        raise error
    if isinstance(error, MemoryError):
        return Reading("", reason=f"{doc} cannot be {what}: memory is short; free some and run the same command again")
    if isinstance(error, OSError):
        if is_systemic(error):
            raise error
        return Reading("", reason=f"{doc} cannot be {what}: {describe(error)}")
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return Reading(sha256, reason=f"{doc} cannot be {what} because of a fault in pizhu ({reason}); please report it")
