"""Messages between a program and the processes that read files for it: frames of JSON and bytes.

A process that has read a hostile file may send anything. So its messages are never unpickled; their size is limited,
and their types and ranges are checked.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import IO, Any, get_args

from ...base.errors import MissingExtraError, ReadError
from ...base.limits import Limits, too_much
from ..readers.base import Source
from ..records import Kind
from ..report import Report, Sentence

_HEXADECIMAL = re.compile("[0-9a-f]*")
_LENGTHS = struct.Struct("<QQ")
_KINDS: tuple[Kind, ...] = get_args(Kind)
_LONGEST = 4_000
"""Characters of an error message; a file's name can have 255."""


class InvalidMessageError(Exception):
    """The message is not a valid frame or answer."""


def send(pipe: IO[bytes], head: Mapping[str, Any], body: bytes | IO[bytes] = b"", size: int | None = None) -> None:
    """Write one frame; ``size`` is the number of bytes in ``body`` if that is an open file."""
    packed = json.dumps(head).encode("ascii")
    length = len(body) if isinstance(body, bytes) else size
    pipe.write(_LENGTHS.pack(len(packed), length) + packed)
    if isinstance(body, bytes):
        pipe.write(body)
    else:
        shutil.copyfileobj(body, pipe, 2**20)
    pipe.flush()


def receive(pipe: IO[bytes], most: int | None = None) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None if the other side has closed the pipe.

    Args:
        most: the most bytes that the frame may have; None trusts the sender.

    Raises:
        InvalidMessageError: the frame is larger, or malformed.
    """
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    of_head, of_body = _LENGTHS.unpack(lengths)
    if most is not None and of_head + of_body > most:
        raise InvalidMessageError(f"an answer of {of_head + of_body:,} bytes")
    packed, body = pipe.read(of_head), pipe.read(of_body)
    if len(packed) + len(body) < of_head + of_body:
        return None
    try:
        head = json.loads(packed)
    except (ValueError, RecursionError):
        raise InvalidMessageError("not JSON") from None
    if not isinstance(head, dict):
        raise InvalidMessageError("not an object")
    return head, body


@dataclass(frozen=True)
class Question:
    """A report to read.

    Attributes:
        doc: its name.
        body: its bytes, or an open file positioned at their beginning.
        size: the number of bytes.
        is_text: whether the bytes are the report's text (UTF-8, surrogates passed) and not a file.
    """

    doc: str
    limits: Limits
    body: bytes | IO[bytes]
    size: int
    is_text: bool = False

    @classmethod
    def of(cls, source: Source) -> Question:
        """The question for the file ``source``."""
        return cls(source.name, source.limits, source.data, len(source.data))

    @classmethod
    def of_text(cls, text: str, doc: str, limits: Limits) -> Question:
        """The question for splitting ``text``."""
        body = text.encode("utf-8", "surrogatepass")
        return cls(doc, limits, body, len(body), is_text=True)

    def send(self, pipe: IO[bytes]) -> None:
        """Write the question to ``pipe``."""
        head = {"doc": self.doc, "limits": vars(self.limits), "is_text": self.is_text}
        send(pipe, head, self.body, self.size)

    @classmethod
    def received(cls, head: Mapping[str, Any], body: bytes) -> Question:
        """The question that :meth:`send` wrote."""
        return cls(head["doc"], Limits(**head["limits"]), body, len(body), head["is_text"])

    @property
    def most(self) -> int:
        """The most bytes that an answer may have: more than any report within the limits needs."""
        return 2**20 + 48 * self.limits.characters

    def source(self) -> Source:
        """The file."""
        return Source(self._bytes(), Path(self.doc), self.limits)

    def text(self) -> str:
        """The text."""
        return self._bytes().decode("utf-8", "surrogatepass")

    def _bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else self.body.read()


def report_to_message(report: Report) -> tuple[dict[str, Any], bytes]:
    """``report`` as the head and body of a frame; headings, which many sentences share, are stored once."""
    names: dict[str, int] = {}
    paths: dict[tuple[str, ...], int] = {}
    for s in report.sentences:
        if s.headings not in paths:
            paths[s.headings] = len(paths)
            for heading in s.headings:
                names.setdefault(heading, len(names))
    head = {
        "starts": [s.start for s in report.sentences],
        "ends": [s.end for s in report.sentences],
        "kinds": [_KINDS.index(s.kind) for s in report.sentences],
        "paths": [paths[s.headings] for s in report.sentences],
        "ids": "".join(s.id for s in report.sentences),
        "headings": list(names),
        "ways": [[names[heading] for heading in path] for path in paths],
    }
    return {"report": head}, report.text.encode("utf-8", "surrogatepass")


def error_to_message(error: Exception) -> dict[str, Any]:
    """A reader's error as the head of a frame."""
    if isinstance(error, ReadError):
        return {"refused": str(error)}
    if isinstance(error, MissingExtraError):
        return {"missing": [error.what, error.extra]}
    if isinstance(error, MemoryError):
        return {"over": "memory_mb"}
    if isinstance(error, OSError) and error.errno is not None:
        return {"system": [error.errno, str(error.strerror), str(error.filename or "") or None]}
    return {"fault": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}


def report_of(question: Question, head: Mapping[str, Any], body: bytes) -> Report:
    """The report that answers ``question``; raises what the reader raised.

    Raises:
        InvalidMessageError: the answer is invalid.
        ReadError, MissingExtraError, OSError: what the reader raised; a ReadError also for a fault in a reader.
    """
    try:
        if "report" in head:
            return _report(question.doc, head["report"], body.decode("utf-8", "surrogatepass"))
        error = _error(question, head)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as reason:
        raise InvalidMessageError(repr(reason)[:200]) from None
    raise error


def _report(doc: str, head: Mapping[str, Any], text: str) -> Report:
    starts, ends = _numbers(head["starts"], len(text) + 1), _numbers(head["ends"], len(text) + 1)
    places = list(chain.from_iterable(zip(starts, ends, strict=True)))
    if places != sorted(places):
        raise ValueError("ranges")
    kinds = [_KINDS[i] for i in _numbers(head["kinds"], len(_KINDS))]
    headings = list(map(_string, _list(head["headings"])))
    ways = [tuple(headings[i] for i in _numbers(way, len(headings))) for way in _list(head["ways"])]
    paths = [ways[i] for i in _numbers(head["paths"], len(ways))]
    ids = _string(head["ids"])
    if not _HEXADECIMAL.fullmatch(ids) or not len(ids) == 16 * len(starts) == 16 * len(kinds) == 16 * len(paths):
        raise ValueError("ids")
    names = [ids[i : i + 16] for i in range(0, len(ids), 16)]
    return Report(doc, text, tuple(map(Sentence, names, repeat(text), starts, ends, kinds, paths)))


def _error(question: Question, head: Mapping[str, Any]) -> Exception:
    if "refused" in head:
        return ReadError(" ".join(_string(head["refused"])[:_LONGEST].split()))
    if "missing" in head:
        what, extra = map(_string, head["missing"])
        return MissingExtraError(what[:_LONGEST], extra[:_LONGEST])
    if "over" in head:
        return ReadError(too_much(question.doc, head["over"], question.limits))
    if "system" in head:
        (number,) = _numbers(head["system"][:1], 2**15)
        strerror, filename = head["system"][1:]
        return OSError(number, _string(strerror)[:_LONGEST], None if filename is None else _string(filename)[:_LONGEST])
    fault = _string(head["fault"])[:_LONGEST]
    return ReadError(f"{question.doc} cannot be read because of a fault in pizhu ({fault}); please report it")


def _numbers(values: Any, end: int) -> list[int]:
    """Check that ``values`` is a list of whole numbers from 0 to below ``end``."""
    if not set(map(type, _list(values))) <= {int}:
        raise TypeError("no numbers")
    if values and not 0 <= min(values) <= max(values) < end:
        raise ValueError("out of range")
    return list(values)


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError("no list")
    return value


def _string(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("no string")
    return value
