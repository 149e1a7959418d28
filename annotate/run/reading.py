"""Reads a run's inputs ahead of their use; an input that fails is reported and does not stop the others."""

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
    """The result of reading an input.

    Attributes:
        sha256: the SHA-256 of its content; empty if there was none, or if the failure was not the content's fault.
        report: the report; None if it could not be read, or did not have to be.
        source: the file it was read from; None if the text came from a table.
        reason: why it could not be read; empty otherwise.
    """

    sha256: str
    report: Report | None = None
    source: Source | None = None
    reason: str = ""


def read_inputs(
    items: Iterable[Input], limits: Limits, but: Callable[[Input], bool] = lambda item: False
) -> Iterator[tuple[Input, Callable[[], Reading]]]:
    """Each input, in order, with a function that returns its reading; the next few are read in advance.

    Args:
        but: says which inputs to skip; their reading is empty.
    """
    reports = (item for item in items if not item.end or item.trouble)
    begun = ((item, partial(Reading, "") if but(item) else begin_reading(item, limits, shared())) for item in reports)
    return taken_ahead(begun, _AHEAD, lambda pair: pair[0].size)


def begin_reading(
    item: Input, limits: Limits, reader: Reader, wanted: Callable[[str], bool] = lambda sha256: True
) -> Callable[[], Reading]:
    """Start reading one input with ``reader``; the returned function waits for the result.

    Args:
        wanted: says from the SHA-256 of the content whether to read the report.
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
    """The reading of a report that could not be read, labelled or written (``what``): one report must not stop a run.

    If the failure is not the report's fault, the reading has no SHA-256, so that the next run tries again. An error
    that would hit every other report too is raised.
    """
    if isinstance(error, ReadError):  # such as a .docx that cannot be copied
        return Reading(sha256, reason=str(error))
    if isinstance(error, MissingExtraError):
        return Reading("", reason=str(error))
    if isinstance(error, ConfigError):  # no reader process can start
        raise error
    if isinstance(error, MemoryError):
        return Reading("", reason=f"{doc} cannot be {what}: out of memory; free some and run the same command again")
    if isinstance(error, OSError):
        if is_systemic(error):
            raise error
        return Reading("", reason=f"{doc} cannot be {what}: {describe(error)}")
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return Reading(sha256, reason=f"{doc} cannot be {what} because of a fault in pizhu ({reason}); please report it")
