"""One thread runs the model for all requests, and annotates the reports that wait together in one batch."""

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
    """As many requests are in flight as the limit allows.

    Attributes:
        retry_after: seconds after which a slot may be free.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("server busy")
        self.retry_after = retry_after


@dataclass(frozen=True)
class _Job:
    report: Report
    answer: Future[Report] = field(default_factory=Future)


class Batcher:
    """Annotates reports from many threads in one thread.

    It never waits for a batch to fill: the next batch gathers while the model works on the last one. A single request
    thus waits for nothing, and many requests share the work.

    Attributes:
        limit: the most requests in flight.
    """

    def __init__(
        self,
        annotator: Annotator,
        limit: int,
        batch: int,
        watch: Callable[[Sequence[Report]], None] = lambda done: None,
    ) -> None:
        """A batch ends at ``batch`` sentences; ``watch`` is called with the reports of every batch."""
        self.limit = limit
        self._begun: dict[object, float] = {}  # when each request in flight took its slot, oldest first
        self._annotator, self._batch, self._watch = annotator, batch, watch
        self._lock = threading.Lock()
        self._seconds = 0.5  # moving average of the seconds per report
        self._waiting: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="pizhu-annotate", daemon=True)
        self._thread.start()

    @property
    def in_flight(self) -> int:
        """How many requests are in flight now."""
        return len(self._begun)

    def check_slot(self) -> None:
        """Raise :class:`Full` if no slot is free now."""
        with self._lock:
            self._raise_if_full()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot from the arrival of a report until its answer; raises :class:`Full` if none is free."""
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
        """Queue a report; the future gives the annotated one. A future cancelled before its turn costs nothing."""
        job = _Job(report)
        self._waiting.put(job)
        return job.answer

    def close(self) -> None:
        """Annotate what is queued, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _raise_if_full(self) -> None:
        if self.in_flight < self.limit:
            return
        # The last request waits for all others; if files are slow to read, assume the age of the oldest request.
        waits = self.in_flight * self._seconds, time.monotonic() - next(iter(self._begun.values()))
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
            for job in left:  # one by one, so that a report on which the model fails does not fail the others
                try:
                    job.answer.set_result(self._annotator.annotate(job.report))
                except Exception as error:
                    job.answer.set_exception(error)
        self._seconds += 0.2 * ((time.monotonic() - began) / len(batch) - self._seconds)
        self._watch([job.report for job in batch])
