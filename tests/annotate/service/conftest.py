"""Models whose speed a test controls, and the service around them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pizhu.annotate.service.app import create_app
from pizhu.annotate.service.settings import Settings
from pizhu.data.isolation.pool import Reader
from pizhu.data.report import Report
from pizhu.tests.support.killing import Hashed
from starlette.testclient import TestClient


@pytest.fixture
def gated() -> Any:
    """A model that answers when its ``gate`` opens, sets ``busy`` when it is called, and records its ``batches``."""

    class Gated(Hashed):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.busy = threading.Event(), threading.Event()
            self.batches: list[list[str]] = []

        def annotate(self, report: Report) -> Report:
            if "模型怕我" in report.text:
                raise RuntimeError("out of memory")
            return super().annotate(report)

        def annotate_many(self, reports: Iterable[Report]) -> Iterator[Report]:
            reports = list(reports)
            self.batches.append([report.doc for report in reports])
            self.busy.set()
            assert self.gate.wait(20)
            yield from map(self.annotate, reports)

    return Gated()


@pytest.fixture
def serving() -> Iterator[Callable[..., TestClient]]:
    """Makes clients of a service over a model, with settings."""
    with ExitStack() as stack:

        def serve(model: Any, reader: Reader | None = None, **settings: Any) -> TestClient:
            app = create_app(model, Settings(**settings), reader)
            return stack.enter_context(TestClient(app, "http://127.0.0.1", raise_server_exceptions=False))

        yield serve
