"""Splits what is sent into batches, since the size of a request is limited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

ROWS = 1000  # per request; each request costs the server a third of a second besides its rows


def batches(items: Sequence[T], size: int = ROWS) -> Iterator[tuple[int, list[T]]]:
    """Batches of at most ``size`` items, each with the number of items before it."""
    for start in range(0, len(items), size):
        yield start, list(items[start : start + size])
