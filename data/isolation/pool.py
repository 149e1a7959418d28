"""The reading processes of a program: a few, kept warm, each asked for one file at a time."""

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
from .messages import Question, SpoiltError, report_of
from .process import Process
from .system import system

_PATIENCE = 0.2  # seconds; waiting without an end would shut out Ctrl-C on Windows
_TICK = 0.2  # seconds between looks at what runs
_START_SECONDS = 60
_SLOW_SECONDS = 1.0
_IDLE_SECONDS = 60.0
_SIGKILL = 9
_GIVEN_UP, _NOT_BEGUN, _SPOILT = "given up", "not begun", "a spoilt answer"


class Pending(Future[Report]):
    """A report that is being read, or waits for its turn.

    ``result`` raises what ``data.read.read_report`` raises; ``cancel`` ends the process that reads it, if one does.
    """

    def __init__(self, question: Question, stop: Callable[[Pending], None]) -> None:
        super().__init__()
        self.question = question
        self._stop = stop

    def result(self, timeout: float | None = None) -> Report:
        """The report; whoever is interrupted while waiting for it without a ``timeout`` gives it up."""
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
        """Give it up; False where it is done."""
        if not super().cancel():
            self._stop(self)
        return not self.done() or self.cancelled()


class Reader(Protocol):
    """What reads files: :class:`ReaderPool`, or :class:`.in_process.InProcess`."""

    def submit(self, question: Question) -> Future[Report]:
        """Have a report read; does not wait for it."""


@dataclass(slots=True)
class _Turn:
    """A file's turn with a process.

    Attributes:
        deadline: when it is ended, by the clock of ``time.monotonic``.
        began: when the process was ready.
        slow: whether it has taken long, so that others may be read beside it.
        ended: why it was ended before it was done: a limit's name, or one of the reasons above.
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
    """Reads files in processes of its own, in the order in which they are asked for.

    A process that dies, hangs or takes too much costs its file alone; another takes its place. One that did well is
    asked again.
    """

    def __init__(self, size: int = 2, slow: int = 0) -> None:
        """``size`` files are read at one time, and beside them ``slow`` others that take over a second, so that these
        do not keep the rest waiting."""
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
        """Have a report read; does not wait for it."""
        pending = Pending(question, self._give_up)
        with self._lock:
            if self._closed:
                raise RuntimeError("the processes that read have been ended")
            self._waiting.append(pending)
            self._grow()
            self._work.notify()
        return pending

    def close(self) -> None:
        """End all processes; what is not done is given up."""
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

    # A thread for each process, and one that watches them.

    def _grow(self) -> None:
        """Add a thread where a file waits for one and there may be more."""
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
        """The file whose turn it is; None where this thread is not needed any more."""
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
        """Have ``process``, or a new one, read; returns the one that may be asked again."""
        question, turn = pending.question, self._turns[pending]
        answer: Report | Exception | None = None
        spent = True
        try:
            if process is not None and not process.alive():  # somebody ended it since
                process.end()
                process = None
            begun = process is not None
            process = process or Process()
            if self._give(turn, process) and (begun or process.begin()):
                self._start_clock(turn, question.limits)
                if (frame := process.ask(question)) is not None:
                    spent = frame[0].get("spent") is not False
                    answer = report_of(question, *frame)
        except SpoiltError:
            turn.ended = turn.ended or _SPOILT
        except Exception as error:
            answer = error
        with self._lock:  # from here on nobody ends the process but this thread
            del self._turns[pending]
        if process is not None and (spent or turn.slow or turn.ended):
            status = process.end()
            answer = answer or _failure(question, turn, process.said, status)
            process = None
        assert answer is not None
        if isinstance(answer, Report):
            pending.set_result(answer)
        else:
            pending.set_exception(answer)
        return process

    def _give(self, turn: _Turn, process: Process) -> bool:
        """Let ``process`` be known as the one that reads; False where it need not any more."""
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
                turn.end(_GIVEN_UP)

    def _watch(self) -> None:
        """End what takes too long, and let others in beside what takes long."""
        with self._lock:
            while not self._closed:
                self._rests = not self._turns
                self._watching.wait(None if self._rests else _TICK)
                now = time.monotonic()
                for pending, turn in self._turns.items():
                    if now > turn.deadline:
                        turn.end(_NOT_BEGUN if turn.began is None else "read_seconds")
                    elif turn.began is not None and turn.process is not None:
                        self._weigh(turn, turn.process, now - turn.began, pending.question.limits)

    def _weigh(self, turn: _Turn, process: Process, seconds: float, limits: Limits) -> None:
        if not process.limits_memory and process.memory_mb() > limits.memory_mb:
            turn.end("memory_mb")
        elif seconds > _SLOW_SECONDS and not turn.slow and self._slow() < self._most_slow:
            turn.slow = True
            process.lower()
            self._grow()


def _failure(question: Question, turn: _Turn, said: str, status: int) -> Exception:
    """Why there is no answer."""
    doc = question.doc
    if turn.ended == _GIVEN_UP:
        return CancelledError()
    if turn.ended in OF_THE_MACHINE:
        return ReadError(too_much(doc, turn.ended, question.limits))
    if turn.began is None:
        return ConfigError(f"the process that reads files does not begin ({said or f'status {status}'})")
    if system.ran_out_of_time(status):
        return ReadError(too_much(doc, "cpu_seconds", question.limits))
    if status == -_SIGKILL and not turn.ended:
        return ReadError(
            f"{doc} cannot be read: the process that read it was killed, which the system does where memory is short; "
            "free some and try it again, or split it"
        )
    return ReadError(
        f"{doc} cannot be read: it breaks the process that reads it ({turn.ended or f'status {status}'}); save it anew "
        "or in another format"
    )


_shared: ReaderPool | None = None
_sharing = Lock()


def shared() -> ReaderPool:
    """The pool of whoever has none of their own: begun when it is first asked for, ended with the program."""
    global _shared
    with _sharing:
        if _shared is None:
            _shared = ReaderPool(size=min(4, os.cpu_count() or 1))
            atexit.register(_shared.close)
        return _shared


def _forget() -> None:
    """A copy of this program that ``fork`` made has none of its threads, and asks for processes of its own."""
    global _shared, _sharing
    _shared, _sharing = None, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
