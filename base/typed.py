"""Checks values read from JSON against declared types; all messages about wrong values are worded here."""

from __future__ import annotations

import json
import re
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Misfit(ValueError):
    """A value does not fit its type; the message lacks a subject: ``spans[0].start must be a number, not a text``."""


def parse(text: str | bytes, shape: type[T]) -> T:
    """Parse JSON into a ``shape``, a dataclass or a list of one; unknown fields are dropped.

    Raises:
        Misfit: it is not JSON, or a field is missing or of another type.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Misfit("it is not JSON") from None
    return typed(value, shape)


def typed(value: object, shape: type[T]) -> T:
    """:func:`parse` for a value that was already read from JSON."""
    try:
        return _converted(value, shape)
    except UnicodeEncodeError:
        raise Misfit("it holds half a character") from None


def check(value: object, shape: Any) -> None:
    """Check that ``value``, read from JSON, is a ``shape``: a TypedDict, in which unknown fields are allowed.

    Raises:
        Misfit: a field is missing or of another type.
    """
    try:
        _converted(value, shape)
    except UnicodeEncodeError:
        try:
            whole = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        except (RecursionError, ValueError):
            raise Misfit("it is nested too deeply, or has a number too long to be read") from None
        _converted(whole, shape)


def _converted(value: object, shape: type[T]) -> T:
    """Raises an UnicodeEncodeError for half a character (a lone surrogate) in a name or where texts are compared."""
    import msgspec

    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise Misfit(_reworded(str(error), shape)) from None


_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _reworded(message: str, shape: Any) -> str:
    """msgspec's ``Expected `str`, got `int` - at `$.headings[0]``` in plain words; no value is quoted."""
    reason, found, place = message.rpartition(" - at `$")
    reason, place = (reason, place.rstrip("`").lstrip(".")) if found else (message, "")
    if place.endswith("[...]"):  # under any name
        place = f"a value of {place.removesuffix('[...]')}"
    if match := re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", reason):
        wanted, given = (" or ".join(_WORDS.get(name, name) for name in part.split(" | ")) for part in match.groups())
        return f"{place or 'it'} must be {wanted}, not {given}"
    if match := re.fullmatch(r"Object missing required field `(\w+)`", reason):
        return f"{place} lacks {match[1]}" if place else f"lacks {match[1]}"
    if reason.startswith("Invalid enum value"):
        return f"{place} must be one of {', '.join(_choices(shape, place))}"
    return f"{place} holds a number that is too large"


def _choices(shape: Any, place: str) -> tuple[str, ...]:
    """The values that the Literal at ``place`` allows."""
    for name in re.findall(r"[A-Za-z_]\w*", place):
        shape = get_type_hints(_inner(shape))[name]
    return get_args(_inner(shape))


def _inner(shape: Any) -> Any:
    """The item type of a list or of an optional."""
    while (args := get_args(shape)) and get_origin(shape) is not Literal:
        shape = next(arg for arg in args if arg is not NoneType)
    return shape
