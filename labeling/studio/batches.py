"""What is sent in parts, since one request takes only so much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

ROWS = 1000  # in one request: each costs the server a third of a second beside its rows


def batches(items: Sequence[T], size: int = ROWS) -> Iterator[tuple[int, list[T]]]:
    """Parts of at most ``size``, each with how many items stand before it."""
    for start in range(0, len(items), size):
        yield start, list(items[start : start + size])
