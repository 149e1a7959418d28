"""Iterators that run ahead of their consumer, so that work on later items starts early."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def taken_ahead(items: Iterable[T], most: int) -> Iterator[T]:
    """``items`` in order; whenever one is yielded, up to ``most`` further ones have been taken from the source."""
    taken: deque[T] = deque()
    for item in items:
        taken.append(item)
        if len(taken) > most:
            yield taken.popleft()
    yield from taken
