"""Something that answers as Label Studio does, as far as a pull asks, and can be made to answer otherwise."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from pizhu.data.labels import DEFAULT_LABELS
from pizhu.labeling.studio.config import label_config
from pizhu.labeling.studio.task_types import TITLE
from pizhu.labeling.studio.tasks import result

AT = "2026-03-02T08:00:00.000001Z"
PROJECT = {
    "id": 1,
    "title": TITLE,
    "label_config": label_config(DEFAULT_LABELS),
    "created_at": AT,
    "task_number": 1,
}
TASK = {
    "id": 5,
    "updated_at": AT,
    "data": {
        "id": "a" * 16,
        "doc": "总结.txt",
        "start": 0,
        "end": 5,
        "text": "工作完成。",
        "headings": [],
        "previous": "",
    },
    "meta": {},
    "annotations": [
        {
            "id": 7,
            "completed_by": 2,
            "result": result(["plan"]),
            "was_cancelled": False,
            "updated_at": AT,
            "updated_by": 2,
            "lead_time": 3.5,
            "prediction": {},
            "parent_prediction": None,
            "import_id": None,
        }
    ],
}
ANSWERS: dict[str, Any] = {
    "/api/projects/": {"count": 1, "next": None, "previous": None, "results": [PROJECT]},
    "/api/projects/1/": PROJECT,
    "/api/users/": [{"id": 2, "first_name": "甲", "email": "jia@office.example"}],
    "/api/projects/1/export": [TASK],
    "/api/projects/1/pizhu-times": {"tasks": {"5": AT}, "annotations": {"5": {"7": AT}}},
}
"""By path, whatever is asked for there."""


class FakeStudio:
    """Its ``answers`` may be changed while it runs, and ``raw`` ones be put in their place: (headers, body)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers = dict(ANSWERS)
        self.raw: dict[str, tuple[dict[str, str], Iterator[bytes] | bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def answer(self, path: str) -> tuple[int, dict[str, str], Iterator[bytes] | bytes]:
        """Status, headers and body."""
        if path in self.raw:
            headers, body = self.raw[path]
            return 302 if "location" in headers else 200, headers, body
        if path not in self.answers:
            return 404, {}, b"{}"
        return 200, {}, json.dumps(self.answers[path]).encode()


@contextmanager
def fake_studio() -> Iterator[FakeStudio]:
    """It answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            fake.asked.append((path, dict(self.headers)))
            status, headers, body = fake.answer(path if path in fake.answers or path in fake.raw else path + "/")
            self.send_response(status)
            for name, value in ({"content-type": "application/json"} | headers).items():
                self.send_header(name, value)
            if isinstance(body, bytes):
                self.send_header("content-length", str(len(body)))
                body = iter([body])
            self.end_headers()
            try:
                for part in body:
                    self.wfile.write(part)
            except OSError:
                pass  # who asked has heard enough

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake = FakeStudio(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield fake
        finally:
            server.shutdown()
