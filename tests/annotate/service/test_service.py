"""The service as programs use it: reports in, pages and records out, and one sentence for every error."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import socket
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.service.settings import SECRET_VARIABLE, Settings, find_secret
from pizhu.base.errors import ConfigError, LabelingError
from pizhu.base.limits import Limits
from pizhu.data.isolation.in_process import InProcess
from pizhu.data.isolation.messages import Question
from pizhu.data.report import Report
from starlette.testclient import TestClient

TEXT = "澄岭县档案局2022年工作总结\n\n一、主要工作\n\n全年接收档案3.2万卷。还要努力。\n"
Serve = Callable[..., TestClient]


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Temporary files lie in a folder of the test, which is empty again at its end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def one_sentence(answer: Any, status: int) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    said: str = answer.json()["error"]
    assert said and "\n" not in said and "Traceback" not in said
    return said


def test_the_body_is_the_file(model: Any, serving: Serve) -> None:
    client = serving(model)
    answer = client.post("/annotate", content=TEXT.encode("gb18030"), params={"name": "总结.txt"})
    body = answer.json()
    assert (body["doc"], body["title"], body["sentences"]) == ("总结.txt", "澄岭县档案局2022年工作总结", 2)
    assert body["text"] == TEXT and "page" not in body
    assert [r["text"] for r in body["records"] if r["kind"] == "sentence"] == ["全年接收档案3.2万卷。", "还要努力。"]
    assert set(body["counts"]) == {"achievement", "shortcoming", "plan", "metric", "none"}
    for record in body["records"]:
        assert TEXT[record["start"] : record["end"]] == record["text"] and record["doc"] == "总结.txt"


def test_a_form_holds_the_file(model: Any, serving: Serve) -> None:
    client = serving(model)
    answer = client.post("/annotate?format=jsonl", files={"file": ("../总结\u202e.txt", TEXT.encode())})
    assert answer.headers["content-type"] == "application/jsonl; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename=\"report.jsonl\"; filename*=UTF-8''")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert {row["doc"] for row in rows} == {"总结.txt"} and len(rows) == 4


def test_browsers_get_the_page(model: Any, serving: Serve) -> None:
    answer = serving(model).post("/annotate?name=%3Cb%3E.txt", content=TEXT.encode(), headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<small>&lt;b&gt;.txt</small>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and "sandbox allow-scripts" in policy and "frame-ancestors 'none'" in policy
    within = re.search(r'Content-Security-Policy" content="([^"]+)"', answer.text)
    assert within and policy.startswith(within[1])


def test_the_json_can_hold_the_page(model: Any, serving: Serve) -> None:
    body = serving(model).post("/annotate?page=true", content=TEXT.encode()).json()
    assert body["page"].startswith("<!doctype html>")


def test_formats_by_content(model: Any, serving: Serve) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        paragraph = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in TEXT.split())
        space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        file.writestr("word/document.xml", f'<w:document xmlns:w="{space}"><w:body>{paragraph}</w:body></w:document>')
        file.writestr("[Content_Types].xml", "<Types/>")
    client = serving(model)
    for data in (packed.getvalue(), f"<html><body><p>{TEXT}</p></body></html>".encode()):
        body = client.post("/annotate?name=wrong.pdf", content=data).json()
        assert (body["doc"], body["sentences"]) == ("wrong.pdf", 2)


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b"", 400, "there is no file"),
        (b"\x89PNG\r\n\x1a\n", 422, "坏.txt is a picture, not a report"),
        (b"%PDF-1.7 broken", 422, "坏.txt is a damaged or cut-off PDF"),
        (b"PK\x03\x04 broken", 422, "坏.txt"),
        (b"\x00\x01\x02\xff" * 9, 422, "坏.txt"),
        (b" " * 30, 422, "坏.txt is empty"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><html>&a;" * 3, 422, "坏.txt"),
    ],
)
def test_what_is_no_report(model: Any, serving: Serve, data: bytes, status: int, said: str) -> None:
    answer = serving(model).post("/annotate", content=data, params={"name": "坏.txt"})
    told = one_sentence(answer, status)
    assert said in told and "pizhu-serve" not in told


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"nonsense", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n', "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nb\r\n' * 2 + b"--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_forms_that_are_none(model: Any, serving: Serve, body: bytes, kind: str) -> None:
    said = one_sentence(serving(model).post("/annotate", content=body, headers={"content-type": kind}), 400)
    assert "form" in said


def test_too_large(model: Any, serving: Serve) -> None:
    client = serving(model, limits=Limits(file_mb=1, characters=1000))
    large = b"a" * (2**20 + 1)
    said = "the file is larger than the limit of 1 MB; split it"
    assert one_sentence(client.post("/annotate", content=large * 2), 413) == said
    assert one_sentence(client.post("/annotate", content=iter([large])), 413) == said  # without a length
    assert one_sentence(client.post("/annotate", files={"file": ("a.txt", large)}), 413) == said
    assert "1,200 characters, more than the limit" in one_sentence(
        client.post("/annotate", content="完成。" * 400), 422
    )


def test_other_errors_are_sentences_too(model: Any, serving: Serve) -> None:
    client = serving(model)
    assert one_sentence(client.get("/nothing"), 404) == "GET /nothing: not found"
    assert one_sentence(client.get("/annotate"), 405) == "GET /annotate: method not allowed"
    assert one_sentence(client.post("/annotate?page=perhaps", content=b"x"), 400).startswith("page: ")
    assert one_sentence(client.post("/annotate?format=pdf", content=b"x"), 406).startswith("there is no format 'pdf'")
    for path in ("/docs", "/redoc"):  # they would load from a CDN
        one_sentence(client.get(path), 404)


def test_a_fault_of_ours_tells_nothing_else(gated: Any, serving: Serve) -> None:
    gated.gate.set()
    said = one_sentence(serving(gated).post("/annotate", content="模型怕我。".encode()), 500)
    assert said == "a fault in pizhu; its log says more"


def test_everybody_gets_their_own_answer(gated: Any, serving: Serve) -> None:
    client = serving(gated)
    with ThreadPoolExecutor(12) as crowd:
        texts = [f"第{i}项任务已经完成。" for i in range(12)]
        answers = [crowd.submit(client.post, "/annotate", content=texts[0].encode())]
        assert gated.busy.wait(20)
        answers += [crowd.submit(client.post, "/annotate", content=text.encode()) for text in texts[1:]]
        waiting = client.app.state.batcher._waiting  # type: ignore[attr-defined]
        while waiting.qsize() < 11:
            time.sleep(0.01)
        gated.gate.set()
        assert [answer.result().json()["text"] for answer in answers] == texts
    assert list(map(len, gated.batches)) == [1, 11]
    counted = client.get("/metrics").text
    assert 'pizhu_requests_total{route="/annotate",status="200"} 12' in counted
    assert "pizhu_sentences_total 12" in counted


def test_no_place_is_left(gated: Any, serving: Serve) -> None:
    client = serving(gated, max_requests=2)
    with ThreadPoolExecutor(2) as crowd:
        waiting = [crowd.submit(client.post, "/annotate", content="完成了。".encode()) for _ in range(2)]
        while client.get("/health").json()["requests_in_flight"] < 2:
            time.sleep(0.01)
        answer = client.post("/annotate", content="完成了。".encode())
        assert one_sentence(answer, 503).startswith("server busy; retry in ")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        gated.gate.set()
        assert [w.result().status_code for w in waiting] == [200, 200]
    assert client.get("/health").json()["requests_in_flight"] == 0
    assert client.post("/annotate", content="完成了。".encode()).status_code == 200


def test_it_takes_too_long(gated: Any, serving: Serve) -> None:
    client = serving(gated, seconds=0.3)
    said = one_sentence(client.post("/annotate", content="完成了。".encode()), 504)
    assert said == "the report takes longer than the limit of 0.3 seconds; split it, or try later"
    assert client.get("/health").json()["requests_in_flight"] == 0
    gated.gate.set()


def test_a_file_that_is_slow_to_read_holds_nobody_up(model: Any, serving: Serve) -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Slow(InProcess):
        def submit(self, question: Question) -> Future[Report]:
            if question.doc != "slow":
                return super().submit(question)
            reading.set()
            return threads.submit(self._read, question)

        def _read(self, question: Question) -> Report:
            assert go_on.wait(20)
            return super().submit(question).result()

    with ThreadPoolExecutor(2) as threads:
        client = serving(model, reader=Slow())
        slow = threads.submit(client.post, "/annotate?name=slow", content=TEXT.encode())
        assert reading.wait(5)
        assert client.get("/health").status_code == 200
        assert client.post("/annotate?name=quick", content=TEXT.encode()).status_code == 200
        go_on.set()
        assert slow.result().status_code == 200


def test_the_home_page(model: Any, serving: Serve) -> None:
    answer = serving(model, limits=Limits(file_mb=7)).get("/")
    assert "不超过 7 MB" in answer.text and "@@" not in answer.text
    assert not re.search(r"https?:|//[a-z]|url\(|@import", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and policy.startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"


def test_other_sites_are_kept_out(model: Any, serving: Serve) -> None:
    client = serving(model)
    rebound = client.post("/annotate", content=TEXT.encode(), headers={"host": "evil.example:8765"})
    assert "start the service with --name evil.example" in one_sentence(rebound, 403)
    forged = client.post("/annotate", content=TEXT.encode(), headers={"sec-fetch-site": "cross-site"})
    assert "other sites" in one_sentence(forged, 403)
    own = client.post("/annotate", content=TEXT.encode(), headers={"sec-fetch-site": "same-origin"})
    assert own.status_code == 200 and "access-control-allow-origin" not in own.headers


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "[::1]:8765", "localhost", "LOCALHOST:1", "10.0.0.5", "[fe80::1]", socket.gethostname()]
)
def test_addresses_and_the_machine_s_name_need_no_option(model: Any, serving: Serve, host: str) -> None:
    assert serving(model).get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "report.example",
        "10.0.0.5.evil.example",
        "[",
        "localhost.evil.example",
        "a@b@",
        ":80",
        "user@127.0.0.1",
        "user:word@localhost",
        "127.0.0.1:80:80",
        "127.0.0.1:x",
        "127.0.0.1/evil.example",
        "127.0.0.1#.evil.example",
        "127.0.0.1.",
        "localhost.",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "[::1].evil.example",
        "[evil.example]",
        "[::1%25eth0]",
        "localhost evil.example",
        "localhost,evil.example",
    ],
)
def test_other_names_are_refused(model: Any, serving: Serve, host: str) -> None:
    """Wherever they lead: to a route, to none, to one that is written in another way."""
    client = serving(model)
    for asked in ("GET /health", "GET /", "POST /annotate", "POST /annotate/", "GET /nothing/", "PUT /"):
        answer = client.request(*asked.split(), headers={"host": host}, follow_redirects=False)
        one_sentence(answer, 403)
        assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/annotate/", "/health/", "/annotate//"])
def test_nobody_is_sent_elsewhere(model: Any, serving: Serve, path: str) -> None:
    for method in ("GET", "POST", "HEAD"):
        answer = serving(model).request(method, path, headers={"host": "127.0.0.1"}, follow_redirects=False)
        assert answer.status_code == 404 and "location" not in answer.headers


def test_names_that_were_given(model: Any, serving: Serve) -> None:
    """As behind a reverse proxy that hands on the name which the browser called."""
    client = serving(model, names=("Report.Example", "批注.example"))
    for host in ("report.example", "REPORT.example:8765", "xn--vqu35u.example"):
        assert client.get("/health", headers={"host": host}).status_code == 200
    page = {"host": "report.example", "origin": "https://report.example", "sec-fetch-site": "same-origin"}
    assert client.post("/annotate", content=TEXT.encode(), headers=page).status_code == 200
    one_sentence(client.get("/health", headers={"host": "www.report.example"}), 403)


def test_pages_of_other_sites_over_plain_http(model: Any, serving: Serve) -> None:
    """There browsers send no Sec-Fetch-Site."""
    client = serving(model)
    for origin, status in (
        ("http://10.0.0.5:8765", 200),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
        ("http://10.0.0.5:9999", 403),
        ("http://10.0.0.5", 403),
        ("https://10.0.0.5:8765", 403),
        ("", 403),
    ):
        asked = client.post("/annotate", content=TEXT.encode(), headers={"host": "10.0.0.5:8765", "origin": origin})
        assert asked.status_code == status, origin
        for method, path in (("OPTIONS", "/annotate"), ("HEAD", "/"), ("POST", "/annotate/"), ("DELETE", "/nothing")):
            other = client.request(method, path, headers={"host": "10.0.0.5:8765", "origin": origin})
            assert (other.status_code == 403) is (status == 403), (origin, method)
            assert "access-control-allow-origin" not in other.headers


def test_pages_behind_a_proxy(model: Any, serving: Serve) -> None:
    """With TLS and without it, on whatever port the proxy listens and says so."""
    client = serving(model, names=("report.example",))
    for host, origin, status in (
        ("report.example", "https://report.example", 200),
        ("report.example", "http://report.example", 200),
        ("report.example:8443", "https://report.example:8443", 200),
        ("report.example:8765", "http://report.example:8765", 200),
        ("REPORT.example:443", "https://report.example", 200),
        ("report.example", "https://report.example:8443", 403),
        ("report.example:8765", "https://report.example", 403),
        ("report.example:8765", "http://report.example", 403),
        ("report.example", "https://www.report.example", 403),
        ("report.example", "https://report.example.", 403),
        ("127.0.0.1:8765", "https://report.example", 403),
        ("127.0.0.1", "https://127.0.0.1", 403),
    ):
        asked = client.post("/annotate", content=TEXT.encode(), headers={"host": host, "origin": origin})
        assert asked.status_code == status, (host, origin)


def test_too_much_at_once(gated: Any, serving: Serve) -> None:
    """Uploads without a slot are limited too, by the bytes that all slots may hold."""
    client = serving(gated, max_requests=1, limits=Limits(file_mb=1))
    large = "任务已经完成。\n".encode() * 30_000  # 0.6 MB
    with ThreadPoolExecutor(1) as other:
        first = other.submit(client.post, "/annotate", content=large)
        assert gated.busy.wait(20)
        client.app.state.batcher.limit = 2  # type: ignore[attr-defined]
        answer = client.post("/annotate", content=large)
        assert one_sentence(answer, 503).startswith("too much is being sent at once")
        assert answer.headers["retry-after"] == "10"
        form = client.post("/annotate", files={"file": ("a.txt", large)})
        one_sentence(form, 503)
        gated.gate.set()
        assert first.result().status_code == 200
    assert client.post("/annotate", content=large).status_code == 200


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EMFILE, 503)])
def test_a_machine_without_room(
    model: Any, serving: Serve, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    import pizhu.annotate.service.app as application

    def full(*_: object) -> Any:
        raise OSError(number, os.strerror(number), "/tmp/place/of/ours")

    monkeypatch.setattr(application, "received", full)
    said = one_sentence(serving(model).post("/annotate", content=TEXT.encode()), status)
    assert "no room" in said and "/tmp" not in said and "pizhu" not in said
    assert ("its disk is full" in said) is (status == 507)


@pytest.mark.parametrize(
    "name", ["https://report.example", "report.example:80", "", "a b", "*", "a/b", "a..b", "x" * 64]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ConfigError, match="not a host name"):
        Settings(names=(name,))


def test_a_secret(model: Any, serving: Serve) -> None:
    client = serving(model, secret="0123456789abcdef")
    assert "0123456789abcdef" not in repr(Settings(secret="0123456789abcdef"))
    for headers in ({}, {"authorization": "Bearer no"}, {"authorization": "Basic 0123456789abcdef"}):
        answer = client.post("/annotate", content=TEXT.encode(), headers=headers)
        assert "the secret is missing or wrong" in one_sentence(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
        one_sentence(client.get("/metrics", headers=headers), 401)
    assert client.get("/health").status_code == client.get("/").status_code == 200
    right = {"authorization": "Bearer 0123456789abcdef"}
    assert client.post("/annotate", content=TEXT.encode(), headers=right).status_code == 200


def test_where_the_secret_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    assert find_secret() is None
    monkeypatch.setenv(SECRET_VARIABLE, "from-the-environment ")
    assert find_secret() == "from-the-environment"
    file = tmp_path / "secret"
    file.touch(0o600)
    file.write_text("out-of-the-file-1\n", encoding="utf-8")
    assert find_secret(file) == "out-of-the-file-1"
    file.chmod(0o644)
    with pytest.raises(LabelingError, match="chmod 600"):
        find_secret(file)
    for bad in ("", "short", "two\nlines-of-sixteen", "口令" * 16):
        monkeypatch.setenv(SECRET_VARIABLE, bad)
        with pytest.raises(ConfigError, match=f"in {SECRET_VARIABLE} is not usable") as error:
            find_secret()
        assert not bad or bad not in str(error.value)


@pytest.mark.parametrize("setting", ["seconds", "max_requests", "batch", "readers"])
def test_impossible_settings(setting: str) -> None:
    with pytest.raises(ConfigError, match=f"{setting} is 0, expected a number above 0"):
        Settings(**{setting: 0})  # type: ignore[arg-type]
