"""Work that goes on beside the computing: reading ahead of it and writing behind it, a few items at most in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE = 0.2  # seconds; waiting without an end would shut out Ctrl-C on Windows


class _Pipe(Generic[T]):
    """A queue with an end, which either side may close early; the taker raises what the giver met."""

    def __init__(self, size: int) -> None:
        self._queue: Queue[tuple[bool, T | BaseException | None]] = Queue(size)
        self._closed = Event()

    def put(self, item: T) -> bool:
        """Wait for room; False where nobody takes any more."""
        return self._put((True, item))

    def end(self, error: BaseException | None = None) -> None:
        """No more comes."""
        self._put((False, error))

    def close(self) -> None:
        """Nobody takes any more."""
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
def ahead(items: Iterable[T], size: int) -> Iterator[Iterator[T]]:
    """``items``, made in a thread of their own, at most ``size`` of them before they are taken.

    What making them raises is raised where they are taken.
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

    thread = Thread(target=make, name="pizhu-ahead", daemon=True)
    thread.start()
    try:
        yield iter(pipe)
    finally:
        pipe.close()
        thread.join(timeout=1)  # one that converts a file now is not waited for


@contextmanager
def behind(work: Callable[[T], None], size: int) -> Iterator[Callable[[T], None]]:
    """A function that hands items to ``work`` in a thread of its own, at most ``size`` of them waiting.

    What is waiting when the block ends is still worked on, even where it ends with an error. What ``work`` raises is
    raised by the function, or at the end of the block.
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

    thread = Thread(target=run, name="pizhu-behind", daemon=True)
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
