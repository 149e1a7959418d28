"""Iterators that run ahead of their consumer, so that work on later items starts early."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


MOST_BYTES = 64 * 2**20
"""What items that are taken ahead may hold together; a single one may be larger."""


def taken_ahead(items: Iterable[T], most: int, size: Callable[[T], int] = lambda item: 0) -> Iterator[T]:
    """``items`` in order; whenever one is yielded, up to ``most`` further ones have been taken from the source.

    Args:
        size: the bytes that an item holds; fewer items are taken ahead if they hold more than ``MOST_BYTES`` together.
    """
    taken: deque[T] = deque()
    sizes: deque[int] = deque()  # asked once: a file's may change, and costs a look at the disk
    for item in items:
        taken.append(item)
        sizes.append(size(item))
        while len(taken) > most or (sum(sizes) > MOST_BYTES and len(taken) > 1):
            sizes.popleft()
            yield taken.popleft()
    while taken:
        yield taken.popleft()
