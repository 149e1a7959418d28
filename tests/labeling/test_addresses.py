"""Annotators cannot make Label Studio send requests to their addresses; the owner's services still work."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.project import ensure_project
from pizhu.labeling.studio.tasks import result

from .test_serve import fill_in

pytestmark = pytest.mark.server
CHOICES = '<RectangleLabels name="l" toName="i"><Label value="x"/></RectangleLabels>'


class Intranet:
    """A neighbour on this machine that answers everybody, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, str]] = []


@pytest.fixture
def intranet() -> Iterator[Intranet]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            there.asked.append((self.path, f"{self.headers}{body}"))
            content = json.dumps({"status": "UP", "model_version": "v1", "results": []}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        there = Intranet(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield there
        finally:
            server.shutdown()


@pytest.fixture
def project(server: Server, title: str) -> int:
    with connect(server.access) as client:
        return ensure_project(client, title=title)


def with_token(server: Server, name: str) -> httpx.Client:
    token = server.token if name == "owner" else server.accounts.annotators[name].token
    return httpx.Client(base_url=server.url, trust_env=False, timeout=60, headers={"Authorization": f"Token {token}"})


def with_api_key(server: Server, name: str) -> httpx.Client:
    token = server.accounts.annotators[name].token
    return httpx.Client(base_url=server.url, trust_env=False, timeout=60, headers={"X-Api-Key": token})


def logged_in(server: Server, name: str) -> httpx.Client:
    account = server.accounts.annotators[name]
    browser = httpx.Client(base_url=server.url, trust_env=False, timeout=60)
    assert fill_in(browser, "/user/login/", email=account.email, password=account.password) == 302
    browser.headers.update({"X-CSRFToken": browser.cookies["csrftoken"], "Referer": server.url})
    return browser


def with_personal_token(server: Server, name: str) -> httpx.Client:
    """The kind that Label Studio's account page gives by default."""
    with closing(logged_in(server, name)) as browser:
        refresh = browser.post("/api/token/").raise_for_status().json()["token"]
        access = browser.post("/api/token/refresh/", json={"refresh": refresh}).raise_for_status().json()["access"]
    return httpx.Client(base_url=server.url, trust_env=False, timeout=60, headers={"Authorization": f"Bearer {access}"})


def attempts(project: int, url: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests that would have Label Studio send one to ``url``."""
    host, port = url.removeprefix("http://").split(":")
    service = {"project": project, "url": f"{url}/ml", "title": "x"}
    yield "POST", "/api/ml", {"json": service}
    yield "POST", "/api/ml/", {"json": service}
    yield "POST", "/api/ml/?enforce_csrf_checks=1", {"data": service}
    yield "POST", "/api/webhooks/", {"json": {"project": project, "url": url, "send_for_all_actions": True}}
    yield "POST", "/api/webhooks", {"json": {"project": project, "url": url}}
    redis = {"project": project, "host": host, "port": port, "path": "x"}
    s3 = {"project": project, "bucket": "b", "s3_endpoint": url, "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    for place in ("", "export/"):
        yield "POST", f"/api/storages/{place}redis", {"json": redis}
        yield "POST", f"/api/storages/{place}redis/validate", {"json": redis}
        yield "POST", f"/api/storages/{place}s3", {"json": s3}
        yield "POST", f"/api/storages/{place}s3/validate", {"json": s3}
        yield "POST", f"/api/storages/{place}localfiles", {"json": {"project": project, "path": "/etc"}}
        for kind in ("azure", "gcs"):
            yield "POST", f"/api/storages/{place}{kind}", {"json": {"project": project, "bucket": "b"}}
    for name in (
        url,
        url.replace("127.0.0.1", "localhost"),
        url.replace("127.0.0.1", "2130706433"),
        "file:///etc/hosts",
    ):
        yield "POST", f"/api/projects/{project}/import", {"json": {"url": f"{name}/x.json"}}
        yield "POST", f"/api/projects/{project}/import", {"data": {"url": f"{name}/x.json"}}
        yield "POST", f"/api/projects/{project}/tasks/bulk/", {"json": {"url": f"{name}/x.json"}}


@pytest.mark.parametrize("way", [with_token, with_api_key, logged_in, with_personal_token])
def test_annotators_name_no_address(server: Server, project: int, intranet: Intranet, way: Any) -> None:
    with closing(way(server, "甲")) as browser:
        assert browser.get("/api/current-user/whoami").json()["first_name"] == "甲"
        for method, path, more in attempts(project, intranet.url):
            answer = browser.request(method, path, **more)
            assert 400 <= answer.status_code < 500, (path, more, answer.text)
        assert browser.get(f"/api/ml?project={project}").json() == []
    assert intranet.asked == []


def test_media_at_an_address_are_not_fetched(server: Server, project: int, intranet: Intranet) -> None:
    """Not even for an export that is to hold them."""
    with with_token(server, "甲") as browser:
        config = f'<View><Image name="i" value="$image"/>{CHOICES}</View>'
        fields = {"title": f"图 {project}", "label_config": config}
        own = browser.post("/api/projects/", json=fields).raise_for_status().json()["id"]
        browser.post(f"/api/projects/{own}/import", json=[{"image": f"{intranet.url}/x.png"}]).raise_for_status()
        export = {"exportType": "YOLO_WITH_IMAGES", "download_resources": "true", "download_all_tasks": "true"}
        assert browser.get(f"/api/projects/{own}/export", params=export).content
        browser.delete(f"/api/projects/{own}").raise_for_status()
    assert intranet.asked == []


def test_the_owner_s_services_are_asked_and_told(server: Server, project: int, intranet: Intranet) -> None:
    """On this machine; annotators can neither lead them elsewhere nor take them away, and still may use them."""
    with with_token(server, "owner") as owner, with_token(server, "甲") as annotator:
        service = {"project": project, "url": f"{intranet.url}/ml", "title": "x"}
        number = owner.post("/api/ml", json=service).raise_for_status().json()["id"]
        hook = {"project": project, "url": f"{intranet.url}/hook", "send_for_all_actions": True}
        hooked = owner.post("/api/webhooks/", json=hook).raise_for_status().json()["id"]
        assert {path for path, _ in intranet.asked} >= {"/ml/health", "/ml/setup"}
        intranet.asked.clear()

        for path in (f"/api/ml/{number}", f"/api/webhooks/{hooked}/"):
            for answer in (
                annotator.patch(path, json={"url": "http://127.0.0.1:9"}),
                annotator.put(path, json={**service, "url": "http://127.0.0.1:9"}),
                annotator.delete(path),
            ):
                assert answer.status_code == 403 and "Only the owner" in answer.json()["detail"]
            assert annotator.get(path).json()["url"].startswith(intranet.url)
        assert annotator.post(f"/api/ml/{number}/train", json={}).status_code == 200
        task = {"data": {"text": "工作完成。", **dict.fromkeys(("path", "position", "before", "after", "place"), "")}}
        annotator.post(f"/api/projects/{project}/import", json=[task]).raise_for_status()
        [listed] = annotator.get("/api/tasks", params={"project": project}).json()["tasks"]
        annotator.post(f"/api/tasks/{listed['id']}/annotations", json={"result": result(["plan"])}).raise_for_status()
        owner.patch(f"/api/projects/{project}", json={"model_version": "x"}).raise_for_status()
        annotator.get(f"/api/tasks/{listed['id']}", params={"project": project}).raise_for_status()
        told = [body for path, body in intranet.asked if path == "/hook"]
        assert any("ANNOTATION_CREATED" in body for body in told)
        assert {path for path, _ in intranet.asked} >= {"/ml/webhook", "/ml/predict"}
