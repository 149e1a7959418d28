"""The service against clients that send slowly, too much, without end, or not HTTP: over real sockets."""

from __future__ import annotations

import json
import os
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from pizhu.tests.support.serving import Running, answered, closed, crowd, heard, parsed, running

SECRET = "0123456789abcdef"
HEALTH = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
UPLOAD = b"POST /annotate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n"
POST = b"POST /annotate HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
SMALL = POST + b"Content-Length: 12\r\n\r\n" + "完成了。".encode()
PATIENCE = 1.0


@pytest.fixture(scope="module", params=[None, SECRET], ids=["open", "secret"])
def service(request: pytest.FixtureRequest) -> Iterator[Running]:
    """One with two slots and few connections, with a secret and without."""
    settings = {"max_requests": 2, "seconds": 20, "secret": request.param}
    with running("annotate", settings=settings, terms={"patience": PATIENCE, "connections": 30}) as found:
        yield found


@pytest.fixture(scope="module")
def free() -> Iterator[Running]:
    """One without a secret."""
    terms = {"patience": PATIENCE, "connections": 40, "per_address": 12}
    with running("annotate", settings={"max_requests": 2, "limits": {"file_mb": 1}}, terms=terms) as found:
        yield found


def told(answer: bytes, status: int) -> str:
    """The sentence of an error."""
    found, headers, body = parsed(answer)
    assert found == status, answer
    assert headers["content-type"] == "application/json"
    assert int(headers["content-length"]) == len(body)
    [(name, sentence)] = json.loads(body).items()
    assert name == "error" and sentence and "\n" not in sentence
    return str(sentence)


def healthy(service: Running) -> bool:
    return parsed(service.talk(HEALTH))[0] == 200


@pytest.mark.parametrize(
    "begun", [b"G", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", b"POST /annotate HTTP/1.1\r\n"]
)
def test_headers_that_dribble(service: Running, begun: bytes) -> None:
    with service.connect(begun) as opened:
        until = time.monotonic() + 20
        opened.settimeout(0.2)
        open_, answer = True, b""
        while open_ and time.monotonic() < until:
            try:
                opened.sendall(b"a")
                answer = opened.recv(65536)
                open_ = bool(answer)
            except TimeoutError:
                continue
            except ConnectionError:
                open_ = False
        assert not open_ and not answer
    assert healthy(service)


def test_who_says_nothing_is_left(service: Running) -> None:
    with service.connect() as silent, service.connect(HEALTH.replace(b"Connection: close\r\n", b"")) as idle:
        assert closed(silent, 20) and closed(idle, 20)


def test_a_second_request_may_not_dribble_either(service: Running) -> None:
    kept = HEALTH.replace(b"Connection: close\r\n", b"")
    with service.connect(kept + b"GET /hea") as opened:
        answer = heard(opened)
        assert answer.startswith(b"HTTP/1.1 200") and answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("sent", [b"", b"POST /annotate HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", UPLOAD + b"\r\nab"])
def test_a_crowd_keeps_nobody_out(service: Running, sent: bytes) -> None:
    with crowd(service, 90, sent):
        for _ in range(3):
            time.sleep(0.5)
            assert healthy(service)


def test_a_crowd_in_which_all_are_served(free: Running) -> None:
    """Idle connections make room; none that is answered is cut off for a newcomer."""
    with crowd(free, 60) as idle:
        answers = [free.talk(SMALL) for _ in range(20)]
        assert {parsed(answer)[0] for answer in answers} == {200}
        assert sum(closed(opened, 5) for opened in idle) == 60


@pytest.mark.skipif(os.name != "posix", reason="asks how many files may be open")
def test_a_crowd_larger_than_the_files_that_may_be_open() -> None:
    with running("annotate", terms={"patience": 60}, files=100) as service, crowd(service, 150, b"GET /"):
        assert healthy(service)
        service.process.terminate()
        assert service.process.wait(20) == 0
        assert service.process.stderr is not None and "Traceback" not in service.process.stderr.read()


def test_bodies_that_dribble_hold_no_place(free: Running) -> None:
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    with crowd(free, 5, UPLOAD + b"\r\nab") as slow, crowd(free, 2, chunked) as chunks:
        assert json.loads(parsed(free.talk(HEALTH))[2])["requests_in_flight"] == 0
        assert parsed(free.talk(SMALL))[0] == 200
        for opened in (*slow, *chunks):
            sentence = told(heard(opened), 408)
            assert sentence == "the request arrived more slowly than 1,000 bytes per second; send it again"


def test_a_body_that_comes_slowly_but_fast_enough(free: Running) -> None:
    body = "完成了任务。".encode() * 400
    with free.connect(POST + b"Content-Length: %d\r\n\r\n" % len(body)) as opened:
        for start in range(0, len(body), 600):
            opened.sendall(body[start : start + 600])
            time.sleep(0.15)
        assert parsed(heard(opened))[0] == 200


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
@pytest.mark.parametrize("shown", [b"", b"Authorization: Bearer wrong-wrong-wrong-wrong\r\n"])
def test_the_secret_is_asked_before_a_body(expect: bytes, shown: bytes) -> None:
    with running("annotate", settings={"secret": SECRET}, terms={"patience": 30}) as service:
        for end in (b"\r\n", b"\r\nab"):
            with service.connect(UPLOAD + expect + shown + end) as opened:
                opened.settimeout(15)
                answer = answered(opened)  # long before the body
                assert b"100 Continue" not in answer
                assert "the secret is missing or wrong" in told(answer, 401)


def test_a_body_is_asked_for_with_the_secret(service: Running) -> None:
    head = SMALL.partition(b"\r\n\r\n")[0]
    head += b"\r\nExpect: 100-continue\r\nAuthorization: Bearer %s\r\n\r\n" % SECRET.encode()
    with service.connect(head) as opened:
        assert opened.recv(65536).startswith(b"HTTP/1.1 100 ")
        opened.sendall(SMALL.partition(b"\r\n\r\n")[2])
        assert parsed(heard(opened))[0] == 200


TLS = bytes.fromhex("16030100c2010000be0303") + bytes(range(180))
LONG = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"x\r\n\r\n", 400),
        (b"\r\n\r\n\r\n\r\n", 400),
        (TLS, 400),
        (b"\0" * 300, 400),
        (b"GET\r\n\r\n", 400),
        (b"GET /health\r\n\r\n", 400),
        ("GET /健康 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(), 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (LONG + b"Host: 127.0.0.1\r\n\r\n", 400),
        (LONG + b"no colon\r\n\r\n", 400),
        (LONG + b"a b: c\r\n\r\n", 400),
        (LONG + b"a: b\0c\r\n\r\n", 400),
        (LONG + b"Content-Length: -5\r\n\r\n", 400),
        (LONG + b"Content-Length: 1e3\r\n\r\n", 400),
        (LONG + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (LONG + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (LONG + b"a: b\r\n" * 100_000 + b"\r\n", 431),
        (LONG + b"a: " + b"b" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"a" * 100_000, 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 40_000, 400),
        (LONG.replace(b"GET /", b"PRI /"), 400),
        (LONG.replace(b"GET /", b"GET /nothing") + b"Connection: close\r\n\r\n", 404),
        (LONG.replace(b"GET /", b"GET /annotate/") + b"Connection: close\r\n\r\n", 404),
        (LONG.replace(b"GET /", b"OPTIONS *") + b"Connection: close\r\n\r\n", 404),
        (LONG.replace(b"GET /", b"GET /annotate") + b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n", 405),
        (LONG.replace(b"GET /", b"DELETE /annotate") + b"Connection: close\r\n\r\n", 405),
    ],
    ids=lambda value: re.sub(rb"\W+", b" ", value[:40]).decode("latin-1") if isinstance(value, bytes) else None,
)
def test_every_error_is_json(free: Running, sent: bytes, status: int) -> None:
    told(free.talk(sent, end=status == 400), status)
    assert healthy(free)


@pytest.mark.parametrize("sent", [b"GET /hea", b"hello", UPLOAD + b"\r\nhalf of it"])
def test_what_breaks_off(free: Running, sent: bytes) -> None:
    assert "the request is incomplete; send it again" in told(free.talk(sent, end=True), 400)


def test_a_head_has_no_body(free: Running) -> None:
    status, _, body = parsed(free.talk(HEALTH.replace(b"GET", b"HEAD")))
    assert (status, body) == (405, b"")


def test_requests_in_a_row(free: Running) -> None:
    kept = HEALTH.replace(b"Connection: close\r\n", b"")
    answer = free.talk(kept * 30 + SMALL)
    assert answer.count(b"HTTP/1.1 200 OK") == 31
    broken = free.talk(kept * 3 + b"x\r\n\r\n")
    assert broken.count(b"HTTP/1.1 200 OK") == 3
    told(broken[broken.index(b"HTTP/1.1 400") :], 400)


@pytest.mark.parametrize("length", [True, False])
def test_a_refusal_is_heard_by_who_closes_afterwards(free: Running, length: bool) -> None:
    """urllib says that it will close the connection, sends all, and only then listens."""
    data: Any = b"a" * 20_000_000 if length else iter([b"a" * 1_000_000] * 20)
    asked = urllib.request.Request(f"{free.url}/annotate", data, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=30)
    assert refused.value.code == 413
    assert "larger than the limit of 1 MB" in json.loads(refused.value.read())["error"]


def test_an_answer_that_nobody_takes(free: Running) -> None:
    report = "\n".join(f"第{number}项任务已经完成。" for number in range(15_000)).encode()
    head = POST.replace(b"annotate", b"annotate?page=true") + b"Content-Length: %d\r\n\r\n" % len(report)
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.settimeout(30)
        opened.connect(("127.0.0.1", free.port))
        opened.sendall(head + report)
        first = opened.recv(100)
        assert first.startswith(b"HTTP/1.1 200")
        length = int(re.search(rb"content-length: (\d+)", first + opened.recv(2000))[1])  # type: ignore[index]
        time.sleep(6 * PATIENCE)
        assert len(heard(opened)) < length - 2100, "the rest was thrown away"
    assert healthy(free)


def test_it_stops_although_many_dribble() -> None:
    with (
        running("annotate", terms={"patience": 2}) as service,
        crowd(service, 5),
        crowd(service, 5, b"GET /"),
        crowd(service, 5, UPLOAD + b"\r\nab"),
        crowd(service, 5, b"x\r\n\r\n"),
    ):
        assert healthy(service)
        service.process.terminate()
        assert service.process.wait(30) == 0
        assert service.process.stderr is not None and service.process.stderr.read() == ""
