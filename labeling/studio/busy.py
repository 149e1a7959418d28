"""Retries while Label Studio's SQLite is busy: it allows one writer at a time, and annotators write all day."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries."""


def is_busy(error: Exception) -> bool:
    """Whether the server refused because its database is locked."""
    body = str(getattr(error, "body", ""))
    return "database-is-locked" in body or "database is locked" in body


def retry_while_busy(ask: Callable[[], T]) -> T:
    """What ``ask`` returns; ``ask`` is called again while the database is busy, so it must be safe to repeat."""
    from label_studio_sdk.core.api_error import ApiError

    for wait in WAITS:
        try:
            return ask()
        except ApiError as error:
            if not is_busy(error):
                raise
        time.sleep(wait)
    return ask()
