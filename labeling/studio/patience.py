"""Waiting where Label Studio's SQLite is busy: it lets one write at a time, and annotators write all day."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries."""


def is_busy(error: Exception) -> bool:
    """Whether that is what the server's refusal says."""
    body = str(getattr(error, "body", ""))
    return "database-is-locked" in body or "database is locked" in body


def patiently(ask: Callable[[], T]) -> T:
    """What ``ask`` returns; it is called again where the database was busy, so it must be something to be repeated."""
    from label_studio_sdk.core.api_error import ApiError

    for wait in WAITS:
        try:
            return ask()
        except ApiError as error:
            if not is_busy(error):
                raise
        time.sleep(wait)
    return ask()
