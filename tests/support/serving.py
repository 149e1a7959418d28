"""Starts services as separate processes, and provides clients that misbehave as no library would.

``serving.py KIND OPTIONS`` runs a service until a signal stops it: KIND is ``annotate`` (a model that answers at once)
or ``predict`` (no model), OPTIONS a JSON object of ``settings``, ``terms`` and ``files``, the most files it may open.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECRET = "a-secret-of-the-tests"


@dataclass(frozen=True)
class Running:
    """A running service."""

    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Open a connection and send ``sent``."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        opened.sendall(sent)
        return opened

    def talk(self, sent: bytes, *, end: bool = False) -> bytes:
        """Send ``sent`` and return everything until the service closes; ``end`` closes the sending side first."""
        with self.connect() as opened:
            try:
                opened.sendall(sent)
                if end:
                    opened.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the answer may have arrived anyway
            return heard(opened)


def heard(opened: socket.socket) -> bytes:
    """Everything received until the other side closes."""
    answer = bytearray()
    try:
        while block := opened.recv(65536):
            answer += block
    except ConnectionError:
        pass
    return bytes(answer)


def answered(opened: socket.socket) -> bytes:
    """One response, read up to its content length; the connection may stay open."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        if not (block := opened.recv(65536)):
            return answer
        answer += block
    most = int(parsed(answer)[1]["content-length"])
    while len(parsed(answer)[2]) < most and (block := opened.recv(65536)):
        answer += block
    return answer


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and body of a response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


def closed(opened: socket.socket, seconds: float) -> bool:
    """Whether the other side closes in time; discards what it sends before."""
    opened.settimeout(seconds)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            if not opened.recv(65536):
                return True
    except ConnectionError:
        return True
    except TimeoutError:
        pass
    return False


@contextmanager
def crowd(service: Running, count: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """Many connections that each send the same; the end of the block closes them."""
    with ExitStack() as stack:
        yield [stack.enter_context(service.connect(sent)) for _ in range(count)]


@contextmanager
def running(kind: str, **options: Any) -> Iterator[Running]:
    """A service on a free port of loopback."""
    process = subprocess.Popen(
        [sys.executable, __file__, kind, json.dumps(options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.isspace() or line.strip().isdecimal(), process.communicate(timeout=20)
        yield Running(int(line), process)
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    kind, options = sys.argv[1], json.loads(sys.argv[2])
    if "files" in options:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (options["files"],) * 2)
    from pizhu.base import serving
    from pizhu.base.terms import Terms

    settings = options.get("settings", {})
    with tempfile.TemporaryDirectory() as folder, serving.listen("127.0.0.1", 0) as listening:
        app = (annotate if kind == "annotate" else predict)(settings, Path(folder))
        port = listening.getsockname()[1]
        app.state.terms = Terms(**options.get("terms", {}))
        serving.run(app, listening, 5, lambda: print(port))


def annotate(settings: dict[str, Any], folder: Path) -> Any:
    from pizhu.annotate.service.app import create_app
    from pizhu.annotate.service.settings import Settings
    from pizhu.base.limits import Limits
    from pizhu.tests.support.killing import Hashed

    if "limits" in settings:
        settings["limits"] = Limits(**settings["limits"])
    return create_app(Hashed(), Settings(**settings))  # type: ignore[arg-type]


def predict(settings: dict[str, Any], folder: Path) -> Any:
    from pizhu.base.errors import LabelingError
    from pizhu.data.labels import DEFAULT_LABELS
    from pizhu.labeling.backend.app import create_app
    from pizhu.labeling.backend.context import Reports
    from pizhu.labeling.backend.predictor import Predictor
    from pizhu.labeling.backend.trainer import Plan, Trainer

    def nowhere() -> Any:
        raise LabelingError("no Label Studio is running here")

    predictor = Predictor(Reports(nowhere, DEFAULT_LABELS))
    return create_app(predictor, Trainer(folder, predictor, Plan("项目"), nowhere), SECRET, **settings)


if __name__ == "__main__":
    main()
