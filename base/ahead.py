"""Items that are begun before they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def taken_ahead(items: Iterable[T], most: int) -> Iterator[T]:
    """``items`` in order, ``most`` of them taken before one is given."""
    taken: deque[T] = deque()
    for item in items:
        taken.append(item)
        if len(taken) > most:
            yield taken.popleft()
    yield from taken
