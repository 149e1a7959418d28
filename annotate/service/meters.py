"""The service's metrics, for Prometheus.

They come from one process: ``pizhu serve`` answers all requests in the process that holds the model. The processes that
read files count nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_REPORTS = (1, 2, 4, 8, 16, 32, 64)


class _Registry(CollectorRegistry):
    """Omits the creation time of each series, which would double the number of series."""

    def collect(self) -> Iterable[Metric]:
        for metric in super().collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class Meters:
    """All metrics; safe to use from several threads. They contain nothing from any report."""

    def __init__(self) -> None:
        # A registry per service: two services in one process count separately, and no other metrics are exposed.
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
        self._in_flight = Gauge("pizhu_requests_in_flight", "Requests in flight.", registry=registry)
        self._limit = Gauge("pizhu_requests_limit", "The most requests in flight at one time.", registry=registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a response; requests for a report are timed too."""
        self._requests.labels(route, str(status)).inc()
        if route == "/annotate" and status == 200:
            self._seconds.observe(seconds)

    def annotated(self, reports: int, sentences: int) -> None:
        """Count an annotated batch."""
        self._batches.observe(reports)
        self._sentences.inc(sentences)

    def text(self, in_flight: int, limit: int) -> str:
        """All metrics in Prometheus' text format, with the number of requests ``in_flight`` now and their ``limit``."""
        self._in_flight.set(in_flight)
        self._limit.set(limit)
        return generate_latest(self._registry).decode("utf-8")
