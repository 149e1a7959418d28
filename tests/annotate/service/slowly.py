"""A service whose model takes its time: slowly.py SECONDS; prints its address when it is ready."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator

from pizhu.annotate.service.app import create_app
from pizhu.base import serving as server
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report
from pizhu.models.about import About
from pizhu.models.decision import Decision
from pizhu.models.windows import ContextFormat


class Slow:
    """Says after a while that everything is planned."""

    about = About(DEFAULT_LABELS, ContextFormat(), 0, Decision.plain(4), name="slow")

    def annotate(self, report: Report) -> Report:
        print("asked", flush=True)
        time.sleep(float(sys.argv[1]))
        return report.with_labels([("plan",) for _ in report.sentences])

    def annotate_many(self, reports: Iterable[Report]) -> Iterator[Report]:
        yield from map(self.annotate, reports)


if __name__ == "__main__":
    listening = server.listen("127.0.0.1", 0)
    app = create_app(Slow())  # type: ignore[arg-type]
    server.run(app, listening, 30, lambda: print(server.address(listening), flush=True))
