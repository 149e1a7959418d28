"""Reads ahead and writes behind in background threads, with a few items at most in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE = 0.2  # seconds; waiting without a timeout would block Ctrl-C on Windows


class _Pipe(Generic[T]):
    """A queue with an end, which either side may close early; an error of the producer is raised in the consumer."""

    def __init__(self, size: int) -> None:
        self._queue: Queue[tuple[bool, T | BaseException | None]] = Queue(size)
        self._closed = Event()

    def put(self, item: T) -> bool:
        """Wait for room and put ``item``; False if the consumer has closed the queue."""
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
                yield item  # type: ignore[misc]
            elif isinstance(item, BaseException):
                raise item
            else:
                return


@contextmanager
def prefetched(items: Iterable[T], size: int) -> Iterator[Iterator[T]]:
    """``items``, produced in a background thread, at most ``size`` of them ahead of the consumer.

    An error in producing them is raised in the consumer.
    """
    pipe: _Pipe[T] = _Pipe(size)

    def make() -> None:
        try:
            for item in items:
                if not pipe.put(item):
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
def background_writer(work: Callable[[T], None], size: int) -> Iterator[Callable[[T], None]]:
    """A function that hands items to ``work`` in a background thread, with at most ``size`` of them waiting.

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
        if not pipe.put(item):
            raise errors[0]

    try:
        yield put
    finally:
        pipe.end()
        while thread.is_alive():
            thread.join(timeout=_PATIENCE)
    if errors:
        raise errors[0]
