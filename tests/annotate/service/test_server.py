"""The service as a process: it prints its address, completes its requests when stopped, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pizhu.base import serving as server
from pizhu.base.errors import ConfigError
from starlette.testclient import TestClient

TEXT = "澄岭县档案局2022年工作总结\n\n一、主要工作\n\n全年接收档案3.2万卷。还要努力。\n"


@contextmanager
def process(*command: str | Path, temporary: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running service and its address."""
    temporary.mkdir(exist_ok=True)
    running = subprocess.Popen(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        assert "http://127.0.0.1:" in line, running.communicate(timeout=20)
        yield running, line.split()[-1]
    finally:
        running.kill()
        running.communicate()


def slowly(seconds: float) -> list[str | Path]:
    return [sys.executable, Path(__file__).with_name("slowly.py"), str(seconds)]


def post(url: str, data: bytes = TEXT.encode(), **options: Any) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=60) as client:
        return client.post(f"{url}/annotate", content=data, **options)


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_what_runs_is_done(tmp_path: Path, number: signal.Signals) -> None:
    with process(*slowly(1.0), temporary=tmp_path / "tmp") as (running, url), ThreadPoolExecutor() as other:
        answer = other.submit(post, url)
        assert running.stdout is not None and running.stdout.readline() == "asked\n"
        running.send_signal(number)
        assert answer.result().json()["counts"]["plan"] == 2
        assert running.wait(20) == 0
        assert running.stderr is not None and running.stderr.read() == ""
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_a_refusal_is_heard_by_who_still_sends(tmp_path: Path) -> None:
    """Were the connection closed at once, the sender would see that and not the reason."""
    with process(*slowly(0), temporary=tmp_path / "tmp") as (_, url):
        for large in (b"a" * 30_000_000, iter([b"a" * 1_000_000] * 30)):
            answer = post(url, large)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["error"][:8]) == (413, "the file")
        assert post(url).status_code == 200


def test_a_broken_upload_leaves_nothing(tmp_path: Path) -> None:
    with process(*slowly(0), temporary=tmp_path / "tmp") as (_, url):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as sender:
            sender.sendall(b"POST /annotate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf of it")
        until = time.monotonic() + 20
        while list((tmp_path / "tmp").iterdir()) and time.monotonic() < until:
            time.sleep(0.05)
        assert list((tmp_path / "tmp").iterdir()) == []
        assert httpx.get(f"{url}/health", trust_env=False).json()["requests_in_flight"] == 0
        assert post(url).status_code == 200


@pytest.mark.slow
def test_the_command(model_folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text("sixteen-characters", encoding="utf-8")
    pizhu = Path(sys.executable).with_name("pizhu")
    words = ("--port", "0", "--limit", "file_mb=1")
    with process(
        pizhu, "serve", "--model", model_folder, "--secret-file", secret, *words, temporary=tmp_path / "tmp"
    ) as (running, url):
        assert post(url).status_code == 401
        shown = {"authorization": "Bearer sixteen-characters"}
        answer = post(url, headers=shown, params={"format": "jsonl", "name": "总结.txt"})
        assert answer.text.count("\n") == 4 and '"doc": "总结.txt"' in answer.text
        assert post(url, b"a" * 2_000_000, headers=shown).status_code == 413
        running.terminate()
        assert running.wait(30) == (0 if os.name == "posix" else 1)
        assert running.stderr is not None and "sixteen" not in running.stderr.read()


def test_the_command_says_what_is_wrong(
    model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIZHU_SERVE_SECRET", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = pizhu("serve", "--port", port, "--model", model_folder)
        assert answer.status == 2 and f"port {port} of 127.0.0.1 cannot be used" in answer.err
    answer = pizhu("serve", "--port", "0", "--model", tmp_path / "none")
    assert answer.status == 2 and "does not exist" in answer.err
    answer = pizhu("serve", "--host", "no.such.host.invalid", "--port", "0", "--model", model_folder)
    assert answer.status == 2 and "'no.such.host.invalid' is not an address of this machine" in answer.err
    answer = pizhu("serve", "--name", "https://report.example", "--port", "0", "--model", model_folder)
    assert answer.status == 2 and "'https://report.example' is not a host name" in answer.err
    answer = pizhu("serve", "--secret-file", tmp_path / "none", "--port", "0")
    assert answer.status == 2 and "does not exist" in answer.err


def test_other_machines_are_let_in_with_a_warning(
    model_folder: Path, pizhu: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "run", lambda app, listening, seconds, ready: ready())
    monkeypatch.delenv("PIZHU_SERVE_SECRET", raising=False)
    warning = "pizhu: anyone who reaches this machine can use the service, without encryption\n"
    answer = pizhu("serve", "--host", "0.0.0.0", "--port", "0", "--model", model_folder)
    assert (answer.status, answer.err) == (0, warning)
    assert "0.0.0.0" not in answer.out  # nobody can open that
    monkeypatch.setenv("PIZHU_SERVE_SECRET", "sixteen-characters")
    answer = pizhu("serve", "--host", "0.0.0.0", "--port", "0", "--model", model_folder)
    assert "and knows the secret can use" in answer.err
    answer = pizhu("serve", "--port", "0", "--model", model_folder)
    assert answer.err == "" and answer.out.startswith("pizhu serves at http://127.0.0.1:")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_names_are_added_wherever_it_listens(
    model_folder: Path, pizhu: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    answers: list[int] = []

    def ask(app: Any, *_: object) -> None:
        with TestClient(app) as client:
            for name in ("a.example", "b.example", "c.example", "10.0.0.5"):
                answers.append(client.get("/health", headers={"host": name}).status_code)

    monkeypatch.setattr(server, "run", ask)
    words = ("--name", "a.example", "--name", "b.example", "--port", "0", "--model", model_folder)
    assert pizhu("serve", "--host", host, *words).status == 0
    assert answers == [200, 200, 403, 200]


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.8.8.8", True), ("0.0.0.0", False), ("::", False)],
)
def test_which_hosts_are_this_machine(host: str, local: bool) -> None:
    assert server.is_local(host) is local


def test_ports_that_are_none() -> None:
    with pytest.raises(ConfigError, match="port 70000"):
        server.listen("127.0.0.1", 70000)
