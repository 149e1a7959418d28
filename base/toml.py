"""TOML that people write: any error in it becomes one sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from .errors import ConfigError

_MOST_KB = 256
_MOST_DOTS = 500
"""Dots in a line: the parser's time grows with the square of the number of parts of a key."""
_LONGEST = 80


def read_toml(path: str | Path, what: str) -> dict[str, Any]:
    """The table in a file (UTF-8, with or without a byte order mark); ``what`` names it in messages.

    Raises:
        ConfigError: it cannot be read, is larger than 256 kB, or is not TOML.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_KB * 1024 + 1)
    except FileNotFoundError:
        raise ConfigError(f"{what} does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ConfigError(f"{what} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > _MOST_KB * 1024:
        raise ConfigError(f"{what} is larger than {_MOST_KB} kB; check that it is the right file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{what} cannot be read: it is not UTF-8 text") from None
    return parse_toml(text, what)


def parse_toml(text: str, what: str) -> dict[str, Any]:
    """The table in ``text``; ``what`` names it in messages.

    Raises:
        ConfigError: it is not TOML, or nested or written as no person would.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(line.count(".") > _MOST_DOTS for line in lines.split("\n")):
        raise ConfigError(f"{what} has a line with more than {_MOST_DOTS} dots; check that it is the right file")
    try:
        return tomllib.loads(lines)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{what} is not TOML and cannot be read: {error}") from None
    except RecursionError:
        raise ConfigError(f"{what} cannot be read: it is nested too deeply") from None
    except ValueError:  # Python's limit on digits
        raise ConfigError(f"{what} cannot be read: it has a number of thousands of digits") from None


def brief(value: object) -> str:
    """``value`` as messages show it: its repr, on one line and cut to a readable length."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nested too deeply
        return f"a value too long to show ({type(value).__name__})"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def named(key: str) -> str:
    """``key`` as messages show it: unchanged unless it is unreadable."""
    return key if key.isprintable() and len(key) <= _LONGEST else brief(key)
