"""An upload may hang, fill or crash its reader: others are served, and abandoned work stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pizhu.tests.support.processes import gone, until

psutil = pytest.importorskip("psutil", reason="psutil tells which processes there are")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")]

TEXT = "完成了任务。还要努力。".encode()


class Service:
    """One that runs, and who works for it."""

    def __init__(self, running: subprocess.Popen[str], url: str) -> None:
        self.running, self.url = running, url
        host, port = url.removeprefix("http://").split(":")
        self.address = host, int(port)

    def post(self, data: bytes) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=120) as client:
            return client.post(f"{self.url}/annotate", content=data)

    def in_flight(self) -> int:
        return int(httpx.get(f"{self.url}/health", trust_env=False, timeout=60).json()["requests_in_flight"])

    def workers(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.running.pid).children(recursive=True)]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[[float, int], Any]]:
    """Starts a service with so many seconds for a request and for reading."""
    (tmp_path / "tmp").mkdir()

    @contextmanager
    def serve(seconds: float, read_seconds: int) -> Iterator[Service]:
        script = Path(__file__).with_name("hostile.py")
        running = subprocess.Popen(
            [sys.executable, script, str(seconds), str(read_seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        )
        try:
            assert running.stdout is not None
            yield Service(running, running.stdout.readline().strip())
        finally:
            running.kill()
            running.communicate()

    yield serve
    until(lambda: not list((tmp_path / "tmp").iterdir()), "nothing is left of the uploads")


@pytest.mark.parametrize("deed", ["spin", "sleep", "convert"])
def test_what_takes_too_long_is_ended_with_its_request(serving: Any, deed: str) -> None:
    with serving(4, 300) as service, ThreadPoolExecutor(1) as other:
        answer = other.submit(service.post, f"deed {deed}".encode())
        until(lambda: service.workers() and service.in_flight(), "it is read")
        workers = service.workers()
        assert answer.result().status_code == 504
        until(lambda: gone(*workers), "the reader is ended")
        assert service.in_flight() == 0
        assert service.post(TEXT).status_code == 200


def test_a_client_that_goes_away_is_not_read_for(serving: Any) -> None:
    with serving(300, 300) as service:
        body = b"deed sleep"
        head = f"POST /annotate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with socket.create_connection(service.address) as client:
            client.sendall(head + body)
            until(lambda: service.workers() and service.in_flight(), "it is read")
            workers = service.workers()
        until(lambda: gone(*workers), "the reader is ended")
        until(lambda: service.in_flight() == 0, "its slot is free")
        assert service.post(TEXT).status_code == 200


def test_slow_uploads_keep_nobody_waiting(serving: Any) -> None:
    with serving(300, 300) as service, ThreadPoolExecutor(8) as others:
        for deed in ("spin", "sleep", "spin", "sleep", "spin", "sleep"):
            others.submit(service.post, f"deed {deed}".encode())
        until(lambda: service.in_flight() == 6, "they are taken in")
        try:
            for _ in range(3):
                assert service.post(TEXT).status_code == 200
            assert service.in_flight() == 6
        finally:
            service.running.kill()  # they would not be answered before five minutes are over


def test_a_refused_upload_says_which_limit(serving: Any) -> None:
    with serving(300, 2) as service:
        answer = service.post(b"deed spin")
        assert answer.status_code == 422
        assert "takes longer than the limit of 2 seconds to read" in answer.json()["error"]
        assert service.post(b"deed crash").status_code == 422
        assert service.post(TEXT).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_service(serving: Any, number: signal.Signals) -> None:
    with serving(300, 5) as service, ThreadPoolExecutor(2) as others:
        answers = [others.submit(service.post, f"deed {deed}".encode()) for deed in ("spin", "convert")]
        until(lambda: len(service.workers()) == 3, "they are read")  # one of them has begun another program
        workers = service.workers()
        service.running.send_signal(number)
        status = service.running.wait(60)
        assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0)
        until(lambda: gone(*workers), "a process stayed")
        for answer in answers:
            if number == signal.SIGKILL:
                assert isinstance(answer.exception(), httpx.HTTPError)
            else:  # what was under way is answered
                assert answer.result().status_code == 422
