"""What the service counts, for Prometheus.

The counts are those of one process, which is all there is: ``pizhu serve`` answers in the process that holds the model,
and the processes that read files count nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_REPORTS = (1, 2, 4, 8, 16, 32, 64)


class _Registry(CollectorRegistry):
    """Leaves out the time at which each series was created, which would be as many series again."""

    def collect(self) -> Iterable[Metric]:
        for metric in super().collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class Meters:
    """Everything that is counted; safe to use from several threads. Nothing of any report is in it."""

    def __init__(self) -> None:
        # A registry of its own: two services in one process do not count together, and nothing else is told.
        self._registry = registry = _Registry()
        self._requests = Counter(
            "pizhu_requests", "Answers by route and status.", ("route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "pizhu_request_seconds",
            "Time from the request for a report to its answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._batches = Histogram(
            "pizhu_batch_reports", "Reports that were annotated together.", buckets=_REPORTS, registry=registry
        )
        self._sentences = Counter("pizhu_sentences", "Sentences annotated.", registry=registry)
        self._taken = Gauge("pizhu_places_taken", "Requests in flight.", registry=registry)
        self._places = Gauge("pizhu_places", "Requests that find a place.", registry=registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request was answered; those for a report are timed."""
        self._requests.labels(route, str(status)).inc()
        if route == "/annotate" and status == 200:
            self._seconds.observe(seconds)

    def annotated(self, reports: int, sentences: int) -> None:
        """A batch is done."""
        self._batches.observe(reports)
        self._sentences.inc(sentences)

    def text(self, taken: int, places: int) -> str:
        """The exposition, with the places that are ``taken`` now."""
        self._taken.set(taken)
        self._places.set(places)
        return generate_latest(self._registry).decode("utf-8")
