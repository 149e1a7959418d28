"""Sentence records as files hand them over: seen to before anything reads them, for a file may hold anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

from ...base.errors import DataError
from .storable import storable

NEEDED = ("id", "doc", "text", "start", "end")
"""What a sentence must have to be sent."""

_KINDS = ("sentence", "heading", "furniture")
_FARTHEST = 2**53  # offsets beyond are no numbers to a browser


def check(record: Mapping[str, Any], where: str, needed: Collection[str] = NEEDED) -> None:
    """See that the fields that say what and where a sentence is are of their types; other fields are not looked at.

    Args:
        record: the sentence's.
        where: the record's place, for the message.
        needed: fields that must be there; the others may be missing, and ``id``, ``doc`` and ``previous`` null.

    Raises:
        DataError: says what is wrong with the first field that is.
    """
    for field in ("id", "doc", "text"):
        given = record.get(field)
        if field in needed and not (isinstance(given, str) and given.strip()):
            raise DataError(f"{where}: {field!r} must be a text that is not empty")
        if not isinstance(given, str | None):
            raise DataError(f"{where}: {field!r} must be a text")
    if storable(record.get("id")) != record.get("id"):
        raise DataError(f"{where}: 'id' holds a character that Label Studio cannot keep")
    for field in ("start", "end"):
        if (field in needed or field in record) and not _is_offset(record.get(field)):
            raise DataError(f"{where}: {field!r} must be a number of characters")
    if not isinstance(record.get("previous", ""), str if "id" in needed else str | None):
        raise DataError(f"{where}: 'previous' must be a text")
    if record.get("kind", "sentence") not in _KINDS:
        raise DataError(f"{where}: 'kind' must be one of {', '.join(_KINDS)}")
    if not is_names(record.get("headings", [])):
        raise DataError(f"{where}: 'headings' must be a list of texts")
    lead = record.get("lead")
    if not isinstance(lead, list | None) or not all(isinstance(heading, dict) for heading in lead or ()):
        raise DataError(f"{where}: 'lead' must be a list of headings")
    for heading in lead or ():
        check({"kind": "heading", **heading, "lead": None}, f"{where}, its lead", ("text", "start", "end"))


def is_names(value: object) -> TypeGuard[list[str]]:
    """Whether it is a list of texts."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_offset(value: object) -> bool:
    return type(value) is int and 0 <= value <= _FARTHEST
