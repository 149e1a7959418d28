"""The reading processes of a program: a few, kept alive, each reading one file at a time."""

from __future__ import annotations

import atexit
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from threading import Condition, Lock, Thread, current_thread
from typing import Protocol

from ...base.errors import ConfigError, ReadError
from ...base.limits import OF_THE_MACHINE, Limits, too_much
from ..report import Report
from .messages import InvalidMessageError, Question, report_of
from .process import Process
from .system import system

_PATIENCE = 0.2  # seconds; waiting without a timeout would block Ctrl-C on Windows
_TICK = 0.2  # seconds between checks of the running processes
_START_SECONDS = 60
_SLOW_SECONDS = 1.0
_IDLE_SECONDS = 60.0
_SIGKILL = 9
_CANCELLED, _NOT_STARTED, _INVALID = "cancelled", "not started", "an invalid answer"


class Pending(Future[Report]):
    """A report that is being read, or waits for its turn.

    ``result`` raises what ``data.read.read_report`` raises; ``cancel`` ends the process that reads it, if any.
    """

    def __init__(self, question: Question, stop: Callable[[Pending], None]) -> None:
        super().__init__()
        self.question = question
        self._stop = stop

    def result(self, timeout: float | None = None) -> Report:
        """The report; an interrupt while waiting without a ``timeout`` cancels it."""
        if timeout is not None:
            return super().result(timeout)
        try:
            while True:
                try:
                    return super().result(_PATIENCE)
                except TimeoutError:
                    if self.done():
                        return super().result()
        finally:
            if not self.done():
                self.cancel()

    def cancel(self) -> bool:
        """Cancel it; False if it is done."""
        if not super().cancel():
            self._stop(self)
        return not self.done() or self.cancelled()


class Reader(Protocol):
    """Reads files: a :class:`ReaderPool` or an :class:`.in_process.InProcess`."""

    def submit(self, question: Question) -> Future[Report]:
        """Start to read a report and return at once."""


@dataclass(slots=True)
class _Turn:
    """The reading of one file by a process.

    Attributes:
        deadline: when it is stopped, by the clock of ``time.monotonic``.
        began: when the process was ready.
        slow: whether it has taken long, so that others may be read at the same time.
        ended: why it was stopped early: a limit's name, or one of the reasons above.
    """

    deadline: float
    process: Process | None = None
    began: float | None = None
    slow: bool = False
    ended: str = ""

    def end(self, why: str) -> None:
        self.ended = self.ended or why
        if self.process is not None:
            self.process.kill()


class ReaderPool:
    """Reads files in its own processes, in the order of the requests.

    A process that dies, hangs or exceeds a limit costs only its own file; another takes its place. A process that did
    well is used again.
    """

    def __init__(self, size: int = 2, slow: int = 0) -> None:
        """Read ``size`` files at a time, and in addition up to ``slow`` files that take over a second, so that these do
        not delay the others."""
        self._size, self._most_slow = size, slow
        self._lock = Lock()
        self._work, self._watching = Condition(self._lock), Condition(self._lock)
        self._waiting: deque[Pending] = deque()
        self._turns: dict[Pending, _Turn] = {}
        self._threads: set[Thread] = set()
        self._watcher: Thread | None = None
        self._rests = False
        self._closed = False

    def __enter__(self) -> ReaderPool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def submit(self, question: Question) -> Pending:
        """Start to read a report and return at once."""
        pending = Pending(question, self._give_up)
        with self._lock:
            if self._closed:
                raise RuntimeError("the reading processes have been ended")
            self._waiting.append(pending)
            self._grow()
            self._work.notify()
        return pending

    def close(self) -> None:
        """End all processes; unfinished reports are cancelled."""
        with self._lock:
            self._closed = True
            left, threads = [*self._waiting, *self._turns], [*self._threads]
            self._waiting.clear()
            self._work.notify_all()
            self._watching.notify_all()
        for pending in left:
            pending.cancel()
        for thread in threads:
            thread.join(timeout=5)

    # One thread per process, and one that watches them.

    def _grow(self) -> None:
        """Start a thread if a file waits for one and the limit allows it."""
        free = len(self._threads) - len(self._turns)
        if free < len(self._waiting) and len(self._threads) - self._slow() < self._size:
            thread = Thread(target=self._serve, name="pizhu-reader", daemon=True)
            self._threads.add(thread)
            thread.start()
        if self._watcher is None:
            self._watcher = Thread(target=self._watch, name="pizhu-reader-watch", daemon=True)
            self._watcher.start()

    def _slow(self) -> int:
        return sum(turn.slow for turn in self._turns.values())

    def _serve(self) -> None:
        process: Process | None = None
        try:
            while (pending := self._next()) is not None:
                process = self._read(pending, process)
        finally:
            with self._lock:
                self._threads.discard(current_thread())
            if process is not None:
                process.end()

    def _next(self) -> Pending | None:
        """The next file; None if this thread is no longer needed."""
        with self._lock:
            while not self._closed and len(self._threads) - self._slow() <= self._size:
                while self._waiting:
                    pending = self._waiting.popleft()
                    if pending.set_running_or_notify_cancel():
                        self._turns[pending] = _Turn(time.monotonic() + _START_SECONDS)
                        if self._rests:
                            self._watching.notify()
                        return pending
                if not self._work.wait(_IDLE_SECONDS) and not self._waiting and len(self._threads) > 1:
                    break
            self._threads.discard(current_thread())
            return None

    def _read(self, pending: Pending, process: Process | None) -> Process | None:
        """Have ``process``, or a new one, read the file; return the process if it can be used again."""
        question, turn = pending.question, self._turns[pending]
        answer: Report | Exception | None = None
        spent = True
        try:
            if process is not None and not process.alive():  # it has ended since
                process.end()
                process = None
            started = process is not None
            process = process or Process()
            if self._register(turn, process) and (started or process.begin()):
                self._start_clock(turn, question.limits)
                if (frame := process.ask(question)) is not None:
                    spent = frame[0].get("spent") is not False
                    answer = report_of(question, *frame)
        except InvalidMessageError:
            turn.ended = turn.ended or _INVALID
        except Exception as error:
            answer = error
        with self._lock:  # from here on only this thread ends the process
            del self._turns[pending]
        if process is not None and (spent or turn.slow or turn.ended):
            status = process.end()
            answer = answer or _failure(question, turn, process.startup_error, status)
            process = None
        assert answer is not None
        if isinstance(answer, Report):
            pending.set_result(answer)
        else:
            pending.set_exception(answer)
        return process

    def _register(self, turn: _Turn, process: Process) -> bool:
        """Register ``process`` as the reader of this turn; False if the turn has been stopped."""
        with self._lock:
            turn.process = process
            return not turn.ended

    def _start_clock(self, turn: _Turn, limits: Limits) -> None:
        with self._lock:
            turn.began = time.monotonic()
            turn.deadline = turn.began + limits.read_seconds

    def _give_up(self, pending: Pending) -> None:
        with self._lock:
            if (turn := self._turns.get(pending)) is not None:
                turn.end(_CANCELLED)

    def _watch(self) -> None:
        """Stop readings that take too long, and start others beside slow ones."""
        with self._lock:
            while not self._closed:
                self._rests = not self._turns
                self._watching.wait(None if self._rests else _TICK)
                now = time.monotonic()
                for pending, turn in self._turns.items():
                    if now > turn.deadline:
                        turn.end(_NOT_STARTED if turn.began is None else "read_seconds")
                    elif turn.began is not None and turn.process is not None:
                        self._check_turn(turn, turn.process, now - turn.began, pending.question.limits)

    def _check_turn(self, turn: _Turn, process: Process, seconds: float, limits: Limits) -> None:
        if not process.limits_memory and process.memory_mb() > limits.memory_mb:
            turn.end("memory_mb")
        elif seconds > _SLOW_SECONDS and not turn.slow and self._slow() < self._most_slow:
            turn.slow = True
            process.lower()
            self._grow()


def _failure(question: Question, turn: _Turn, said: str, status: int) -> Exception:
    """The error for a reading without an answer."""
    doc = question.doc
    if turn.ended == _CANCELLED:
        return CancelledError()
    if turn.ended in OF_THE_MACHINE:
        return ReadError(too_much(doc, turn.ended, question.limits))
    if turn.began is None:
        return ConfigError(f"the process that reads files cannot start ({said or f'status {status}'})")
    if system.ran_out_of_time(status):
        return ReadError(too_much(doc, "cpu_seconds", question.limits))
    if status == -_SIGKILL and not turn.ended:
        return ReadError(
            f"{doc} cannot be read: the process that read it was killed, as the system does if memory is short; "
            "free some and try again, or split it"
        )
    return ReadError(
        f"{doc} cannot be read: it crashes the process that reads it ({turn.ended or f'status {status}'}); save it "
        "again or in another format"
    )


_shared: ReaderPool | None = None
_sharing = Lock()


def shared() -> ReaderPool:
    """The program's own pool, created at first use and ended with the program."""
    global _shared
    with _sharing:
        if _shared is None:
            _shared = ReaderPool(size=min(4, os.cpu_count() or 1))
            atexit.register(_shared.close)
        return _shared


def _forget() -> None:
    """After ``fork``: the copy of the program has none of the threads, so it will start processes of its own."""
    global _shared, _sharing
    _shared, _sharing = None, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
