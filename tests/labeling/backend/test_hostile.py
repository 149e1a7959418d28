"""The prediction service against strangers: it reads nothing before the secret, and nobody can block it."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pizhu.labeling.backend.secret import event_secret
from pizhu.tests.support.serving import SECRET, Running, answered, crowd, heard, parsed, running

HOST = b"Host: 127.0.0.1\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
KNOWN = b"Authorization: Basic " + b64encode(f"pizhu:{SECRET}".encode()) + b"\r\n"
EVENTS = b"Authorization: Bearer " + event_secret(SECRET).encode() + b"\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def strict() -> Iterator[Running]:
    with running("predict", settings={"body_mb": 1}, terms={"patience": 1.0, "connections": 30}) as found:
        yield found


def told(answer: bytes, status: int) -> str:
    found, headers, body = parsed(answer)
    assert (found, headers["content-type"]) == (status, "application/json"), answer
    [(name, sentence)] = json.loads(body).items()
    assert name == "error" and sentence
    return str(sentence)


def healthy(service: Running) -> bool:
    return parsed(service.talk(HEALTH))[0] == 503  # no model is loaded here, which it says


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook", "/train", "/nothing"])
@pytest.mark.parametrize(
    "shown", [b"", b"Authorization: Bearer wrong-wrong-wrong-wrong\r\n", b"Expect: 100-continue\r\n"]
)
def test_the_secret_is_asked_before_a_body(path: str, shown: bytes) -> None:
    with running("predict", terms={"patience": 60}) as service:
        for length in (b"Content-Length: 100000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
            with service.connect(f"POST {path} HTTP/1.1\r\n".encode() + HOST + JSON + shown + length) as opened:
                opened.settimeout(30)
                answer = answered(opened)
                assert "the secret is missing or wrong" in told(answer, 401)
                assert parsed(answer)[1]["www-authenticate"].startswith("Basic")


def test_the_secret_of_events_opens_no_other_body(strict: Running) -> None:
    for path in (b"/setup", b"/predict", b"/train", b"/webhook/"):
        sent = b"POST " + path + b" HTTP/1.1\r\nConnection: close\r\n" + HOST + JSON + EVENTS
        told(strict.talk(sent + b"Content-Length: 900000\r\n\r\n"), 401)


@pytest.mark.parametrize("path", [b"/setup", b"/predict", b"/webhook"])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_are_bounded(strict: Running, path: bytes, chunked: bool) -> None:
    head = b"POST " + path + b" HTTP/1.1\r\nConnection: close\r\n" + HOST + JSON + KNOWN
    body = b'{"tasks": [' + b"1," * 1_000_000 + b"1]}"
    if chunked:
        sent = b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    else:
        sent = b"Content-Length: %d\r\n\r\n" % len(body) + body
    assert "larger than the limit of 1 MB" in told(strict.talk(head + sent), 413)
    assert healthy(strict)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"tasks": ' + b"[" * 200_000, b"\xff", b"nonsense", b"[]", b"1"])
def test_bodies_that_are_none(strict: Running, body: bytes) -> None:
    head = b"POST /predict HTTP/1.1\r\nConnection: close\r\n" + HOST + JSON + KNOWN
    told(strict.talk(head + b"Content-Length: %d\r\n\r\n" % len(body) + body), 400)


@pytest.mark.parametrize("sent", [b"", b"POST /predict HTTP/1.1\r\nX: ", b"POST /predict HTTP/1.1\r\n" + HOST + KNOWN])
def test_a_crowd_keeps_nobody_out(strict: Running, sent: bytes) -> None:
    body = b"Content-Length: 1000\r\n\r\n{" if KNOWN in sent else b""
    with crowd(strict, 80, sent + body):
        for _ in range(3):
            time.sleep(0.5)
            assert healthy(strict)


def test_slow_requests_are_closed(strict: Running) -> None:
    with strict.connect(b"POST /predict HTTP/1.1\r\nX-A: ") as opened:
        assert heard(opened) == b""
    with strict.connect(b"POST /predict HTTP/1.1\r\n" + HOST + KNOWN + b"Content-Length: 1000\r\n\r\n{") as opened:
        assert "slowly" in told(heard(opened), 408)


@pytest.mark.parametrize("sent", [b"x\r\n\r\n", b"\x16\x03\x01\x00\xc2\x01", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_http(strict: Running, sent: bytes) -> None:
    told(strict.talk(sent, end=True), 400)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("PUT", "/predict"), ("GET", "/train/"), ("HEAD", "/")]
)
def test_routes_that_are_none(service: TestClient, method: str, path: str) -> None:
    answer = service.request(method, path)
    assert answer.status_code in (404, 405) and "location" not in answer.headers
    assert method == "HEAD" or list(answer.json()) == ["error"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://testserver:9090", "https://testserver", "http://testserver.", ""]
)
def test_pages_of_other_sites_where_browsers_say_nothing_else(service: TestClient, origin: str) -> None:
    """Over plain HTTP they name where the page comes from, and no more."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/train", "/webhook", "/predict", "/setup", "/train/"):
        for headers in ({"origin": origin}, {"origin": origin} | form):
            answer = service.post(path, headers=headers)
            assert answer.status_code == 403 and "other sites" in answer.json()["error"]
    assert service.get("/state").json()["run"] is None


def test_its_own_page_and_programs_are_let_in(service: TestClient) -> None:
    event = {"action": "TASKS_CREATED"}
    for headers in (
        {},
        {"origin": "http://testserver"},
        {"sec-fetch-site": "same-origin"},
        {"user-agent": "heartex/1"},
    ):
        assert service.post("/webhook", json=event, headers=headers).json() == {"counted": False}


def test_another_address_may_be_its_own(tmp_path: Any) -> None:
    from pizhu.data.labels import DEFAULT_LABELS
    from pizhu.labeling.backend.app import create_app
    from pizhu.labeling.backend.context import Reports
    from pizhu.labeling.backend.predictor import Predictor
    from pizhu.labeling.backend.trainer import Plan, Trainer

    predictor = Predictor(Reports(lambda: None, DEFAULT_LABELS))  # type: ignore[arg-type,return-value]
    trainer = Trainer(tmp_path, predictor, Plan("项目"), lambda: None)  # type: ignore[arg-type,return-value]
    with TestClient(create_app(predictor, trainer, SECRET, "https://predict.office.example/")) as client:
        client.auth = ("pizhu", SECRET)
        for origin, status in (("https://predict.office.example", 200), ("https://predict.office.example:8443", 403)):
            asked = client.post("/webhook", json={"action": "TASKS_CREATED"}, headers={"origin": origin})
            assert asked.status_code == status


def test_a_fault_and_a_full_disk_are_sentences(
    open_service: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from pizhu.labeling.backend import trainer

    service = open_service()
    service._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    for error, status in ((OSError(errno.ENOSPC, "No space left on device"), 507), (RuntimeError("内部"), 500)):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(trainer, "save_state", fail)
        answer = service.post("/train")
        assert (answer.status_code, list(answer.json())) == (status, ["error"])
        assert "内部" not in answer.text
