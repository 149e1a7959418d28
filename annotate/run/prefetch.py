"""Reads ahead and writes behind in background threads, with a few items at most in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

from ...base.ahead import MOST_BYTES

T = TypeVar("T")

_TICK = 0.02  # seconds between looks whether there is room
_PATIENCE = 0.2  # seconds; waiting without a timeout would block Ctrl-C on Windows


class _Pipe(Generic[T]):
    """A queue with an end, which either side may close early; an error of the producer is raised in the consumer."""

    def __init__(self, size: int) -> None:
        self._queue: Queue[tuple[bool, T | BaseException | None]] = Queue(size)
        self._closed = Event()
        self._held: deque[int] = deque()  # the bytes of each item in the queue; appended here, popped by the consumer

    def put(self, item: T, its_bytes: int = 0) -> bool:
        """Wait for room and put ``item``; False if the consumer has closed the queue."""
        while self._held and sum(tuple(self._held)) + its_bytes > MOST_BYTES:
            if self._closed.wait(_TICK):
                return False
        self._held.append(its_bytes)
        return self._put((True, item))

    def end(self, error: BaseException | None = None) -> None:
        """Mark the end; ``error`` is raised in the consumer."""
        self._put((False, error))

    def close(self) -> None:
        """Stop: nothing more is consumed."""
        self._closed.set()

    def _put(self, pair: tuple[bool, T | BaseException | None]) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(pair, timeout=_PATIENCE)
                return True
            except Full:
                continue
        return False

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                more, item = self._queue.get(timeout=_PATIENCE)
            except Empty:
                continue
            if more:
                self._held.popleft()
                yield item  # type: ignore[misc]
                del item  # while the next one is waited for
            elif isinstance(item, BaseException):
                raise item
            else:
                return


@contextmanager
def prefetched(items: Iterable[T], size: int, its_bytes: Callable[[T], int] = lambda item: 0) -> Iterator[Iterator[T]]:
    """``items``, produced in a background thread, at most ``size`` of them ahead of the consumer.

    An error in producing them is raised in the consumer.

    Args:
        its_bytes: what an item holds; fewer items are produced if they hold more than ``MOST_BYTES`` together.
    """
    pipe: _Pipe[T] = _Pipe(size)

    def make() -> None:
        try:
            for item in items:
                if not pipe.put(item, its_bytes(item)):
                    return
        except BaseException as error:
            pipe.end(error)
        else:
            pipe.end()

    thread = Thread(target=make, name="pizhu-prefetch", daemon=True)
    thread.start()
    try:
        yield iter(pipe)
    finally:
        pipe.close()
        thread.join(timeout=1)  # do not wait for a file conversion


@contextmanager
def background_writer(
    work: Callable[[T], None], size: int, its_bytes: Callable[[T], int] = lambda item: 0
) -> Iterator[Callable[[T], None]]:
    """A function that hands items to ``work`` in a background thread, with at most ``size`` of them waiting.

    ``its_bytes`` limits them further, as in :func:`prefetched`.

    At the end of the block, even after an error, the waiting items are still processed. An error in ``work`` is raised
    by the function, or at the end of the block.
    """
    pipe: _Pipe[T] = _Pipe(size)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for item in pipe:
                work(item)
        except BaseException as error:
            errors.append(error)
            pipe.close()

    thread = Thread(target=run, name="pizhu-writer", daemon=True)
    thread.start()

    def put(item: T) -> None:
        if not pipe.put(item, its_bytes(item)):
            raise errors[0]

    try:
        yield put
    finally:
        pipe.end()
        while thread.is_alive():
            thread.join(timeout=_PATIENCE)
    if errors:
        raise errors[0]
