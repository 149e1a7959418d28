"""What the service counts, in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_REPORTS = (1, 2, 4, 8, 16, 32, 64)


class Histogram:
    """Counts observations up to each of its bounds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def lines(self, name: str) -> Iterator[str]:
        """Cumulative counts, as the format wants them."""
        total = 0
        for bound, count in zip((*self.bounds, None), self.counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{"+Inf" if bound is None else f"{bound:g}"}"}} {total}'
        yield f"{name}_sum {self.sum:.6f}"
        yield f"{name}_count {total}"


class Meters:
    """Everything that is counted; safe to use from several threads. Nothing of any report is in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds = Histogram(_SECONDS)
        self._batches = Histogram(_REPORTS)
        self._sentences = 0

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request was answered; those for a report are timed."""
        with self._lock:
            self._requests[route, status] += 1
            if route == "/annotate" and status == 200:
                self._seconds.observe(seconds)

    def annotated(self, reports: int, sentences: int) -> None:
        """A batch is done."""
        with self._lock:
            self._batches.observe(reports)
            self._sentences += sentences

    def text(self, taken: int, places: int) -> str:
        """The exposition, with the places that are ``taken`` now."""
        with self._lock:
            requests = [
                f'pizhu_requests_total{{route="{route}",status="{status}"}} {count}'
                for (route, status), count in sorted(self._requests.items())
            ]
            groups = [
                ("pizhu_requests_total", "counter", "Answers by route and status.", requests),
                (
                    "pizhu_request_seconds",
                    "histogram",
                    "Time from the request for a report to its answer.",
                    list(self._seconds.lines("pizhu_request_seconds")),
                ),
                (
                    "pizhu_batch_reports",
                    "histogram",
                    "Reports that were annotated together.",
                    list(self._batches.lines("pizhu_batch_reports")),
                ),
                (
                    "pizhu_sentences_total",
                    "counter",
                    "Sentences annotated.",
                    [f"pizhu_sentences_total {self._sentences}"],
                ),
                ("pizhu_places_taken", "gauge", "Requests in flight.", [f"pizhu_places_taken {taken}"]),
                ("pizhu_places", "gauge", "Requests that find a place.", [f"pizhu_places {places}"]),
            ]
        return "".join(
            f"# HELP {name} {about}\n# TYPE {name} {kind}\n" + "".join(f"{line}\n" for line in lines)
            for name, kind, about, lines in groups
        )
