"""One thread with the model, to which all requests hand their reports: what waits together is annotated together."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from ...data.report import Report

if TYPE_CHECKING:
    from ...models.annotator import Annotator


class Full(Exception):
    """All places are taken.

    Attributes:
        retry_after: seconds after which one may be free.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("server busy")
        self.retry_after = retry_after


@dataclass(frozen=True)
class _Job:
    report: Report
    answer: Future[Report] = field(default_factory=Future)


class Batcher:
    """Annotates reports from many threads in one.

    It never waits for a batch to fill: while one is annotated the next gathers by itself, so a lone request is as quick
    as it can be and a crowd shares the work.

    Attributes:
        places: how many there are.
    """

    def __init__(
        self,
        annotator: Annotator,
        places: int,
        batch: int,
        watch: Callable[[Sequence[Report]], None] = lambda done: None,
    ) -> None:
        """``places`` bound what can wait; a batch ends at ``batch`` sentences; ``watch`` is told of every batch."""
        self.places = places
        self._begun: dict[object, float] = {}  # when each place was taken, the first first
        self._annotator, self._batch, self._watch = annotator, batch, watch
        self._lock = threading.Lock()
        self._seconds = 0.5  # that a report takes, as it was lately
        self._waiting: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="pizhu-annotate", daemon=True)
        self._thread.start()

    @property
    def taken(self) -> int:
        """Places that are taken now."""
        return len(self._begun)

    def expect_place(self) -> None:
        """Raise :class:`Full` where there is no place at present."""
        with self._lock:
            self._raise_if_full()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place, from when a report is there until it is answered; :class:`Full` where there is none."""
        ticket = object()
        with self._lock:
            self._raise_if_full()
            self._begun[ticket] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._begun[ticket]

    def submit(self, report: Report) -> Future[Report]:
        """Hand in a report; the answer is the annotated one. Cancelled before its turn comes, it costs nothing."""
        job = _Job(report)
        self._waiting.put(job)
        return job.answer

    def close(self) -> None:
        """Finish what was handed in, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _raise_if_full(self) -> None:
        if self.taken < self.places:
            return
        # What came last waits for all others; where the reading of files takes long, as long as the first one did.
        waits = self.taken * self._seconds, time.monotonic() - next(iter(self._begun.values()))
        raise Full(min(60, max(1, math.ceil(max(waits)))))

    def _work(self) -> None:
        open_ = True
        while open_:
            job = self._waiting.get()
            batch: list[_Job] = []
            sentences = 0
            while job is not None:
                if job.answer.set_running_or_notify_cancel():
                    batch.append(job)
                    sentences += len(job.report.sentences)
                if sentences >= self._batch:
                    break
                try:
                    job = self._waiting.get_nowait()
                except Empty:
                    break
            open_ = job is not None
            if batch:
                self._annotate(batch)

    def _annotate(self, batch: list[_Job]) -> None:
        began = time.monotonic()
        left = deque(batch)
        try:
            for report in self._annotator.annotate_many([job.report for job in batch]):
                left.popleft().answer.set_result(report)
        except Exception:
            for job in left:  # one that the model cannot bear must not take the others with it
                try:
                    job.answer.set_result(self._annotator.annotate(job.report))
                except Exception as error:
                    job.answer.set_exception(error)
        self._seconds += 0.2 * ((time.monotonic() - began) / len(batch) - self._seconds)
        self._watch([job.report for job in batch])
