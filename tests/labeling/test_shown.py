"""Annotators keep seeing proposals, or a message says that they do not and how to restore them."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from pizhu.base.files import read_records, write_records
from pizhu.cli import app
from pizhu.labeling.backend.register import NAME, register
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.proposals import model_version
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.tasks import result
from pizhu.models.annotator import Annotator
from pizhu.models.paths import SHIPPED
from typer.testing import CliRunner

Records = Callable[..., Path]

pytestmark = pytest.mark.server


class Service:
    """A prediction service that Label Studio may connect to; ``refusal`` is its sentence where it does not fit."""

    def __init__(self) -> None:
        self.refusal = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/problem/"):
                    self.say(422, {})
                else:
                    self.say(200, {"status": "UP"})

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if outer.refusal:
                    self.say(303, {}, location=f"problem/{outer.refusal.replace(' ', '_')}")
                elif self.path == "/setup":
                    self.say(200, {"model_version": "live-1"})
                else:
                    rows = [{"model_version": "live-1", "score": 0.5, "result": result([])} for _ in asked["tasks"]]
                    self.say(200, {"results": rows})

            def say(self, status: int, body: Any, **headers: str) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "content-type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.stop()


@pytest.fixture
def said(server: Server, title: str) -> Callable[..., str]:
    """Runs a command of `pizhu label` on the project; what it printed."""

    def run(*words: str | Path) -> str:
        command = ["label", *map(str, words), "--project", title, "--folder", server.folder]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def opened(server: Server, project: int) -> list[str]:
    """Whose proposals 甲 sees with the sentence that comes next."""
    headers = {"Authorization": f"Token {server.accounts.annotators['甲'].token}"}
    answer = httpx.get(f"{server.url}/api/projects/{project}/next", headers=headers, trust_env=False, timeout=60)
    return [proposal["model_version"] for proposal in answer.raise_for_status().json()["predictions"]]


def test_another_model_s_push_hides_earlier_proposals(
    server: Server, title: str, records: Records, said: Callable[..., str]
) -> None:
    first = records(6, labels=["plan"], model="v1")
    later = records(9, "乙.jsonl", labels=["plan"], model="v10")
    write_records(later, list(read_records(later))[6:])  # other sentences
    project = push(server.access, [first], title=title).project
    assert opened(server, project) == ["v1"]
    pushed = push(server.access, [later], title=title)
    assert (pushed.shown, pushed.hidden) == ("v10", 6)
    assert opened(server, project) == []
    told = said("proposals")
    assert "v1: proposals for 6 sentences" in told and "v10: proposals for 3 sentences" in told
    assert "6 sentences that are still open have proposals of other models only" in told

    assert "annotators see the proposals of v1\n" in said("proposals", "--show", "v1")
    assert opened(server, project) == ["v1"]
    assert json.loads(said("proposals", "--json"))["hidden"] == 3
    wrong = CliRunner().invoke(
        app, ["label", "proposals", "--show", "v2", "--project", title, "--folder", server.folder]
    )
    assert "has no proposals of v2, only of v10, v1" in str(wrong.exception)


def test_what_is_answered_is_not_counted_as_hidden(server: Server, title: str, records: Records) -> None:
    project = push(server.access, [records(3, labels=["plan"], model="v1")], title=title, overlap=1).project
    with connect(server.access) as client:
        for task in list(client.tasks.list(project=project))[:2]:
            client.annotations.create(id=task.id, result=result(["plan"]), was_cancelled=False)
    later = records(4, "乙.jsonl", labels=[], model="v2")
    write_records(later, list(read_records(later))[3:])
    assert push(server.access, [later], title=title).hidden == 1


def test_a_model_gives_proposals_to_what_is_there(
    server: Server, title: str, records: Records, said: Callable[..., str]
) -> None:
    push(server.access, [records(4, labels=["plan"], model="v1")], title=title)
    bare = records(6, "乙.jsonl")
    write_records(bare, list(read_records(bare))[4:])
    project = push(server.access, [bare], title=title).project
    version = model_version(annotator := Annotator.load(SHIPPED, device="cpu"))
    new = records(7, "丙.jsonl")
    write_records(new, list(read_records(new))[6:])
    pushed = push(server.access, [new], title=title, annotator=annotator)
    # Those that had the other model's proposals; those that had none are left alone.
    assert (pushed.sent, pushed.proposals, pushed.renewed, pushed.hidden, pushed.shown) == (1, 1, 4, 0, version)
    assert opened(server, project) == [version]
    told = said("push", "--model", SHIPPED)
    assert "2 sentences that were there also got proposals of this model" in told
    assert "0 sentences sent" in told and "got proposals" not in said("push", "--model", SHIPPED)
    with connect(server.access) as client:
        found = [(p.task, p.model_version) for p in client.predictions.list(project=project)]
    assert len(found) == len(set(found)) == 11
    assert sum(model == version for _, model in found) == 7


def test_a_service_that_stops_is_told_and_taken_out(
    server: Server, title: str, records: Records, service: Service, said: Callable[..., str]
) -> None:
    path = records(4, labels=["plan"], model="v1")
    project = push(server.access, [path], title=title).project
    register(server.access, service.url, "a-secret-of-the-tests", title, events=True)
    assert opened(server, project) == ["live-1"]
    assert "what the prediction service pizhu proposes" in said("push", path)
    service.stop()
    assert opened(server, project) == []
    told = said("push", path)
    assert f"annotators see no proposals: {service.url} does not answer" in told and "pizhu label disconnect" in told
    assert push(server.access, [], title=title).trouble == f"{service.url} does not answer"

    told = said("disconnect")
    assert f"the service at {service.url} was removed" in told
    assert "annotators see the proposals of v1" in told
    assert opened(server, project) == ["v1"]
    with connect(server.access) as client:
        assert list(client.ml.list(project=project)) == []
        assert list(client.webhooks.list(project=str(project))) == []
    assert "no pizhu service is registered" in said("disconnect")
    assert push(server.access, [path], title=title).live is False


def test_a_service_may_be_taken_out_and_nothing_was_pushed(
    server: Server, title: str, records: Records, service: Service, said: Callable[..., str]
) -> None:
    push(server.access, [records(2)], title=title)
    register(server.access, service.url, "a-secret-of-the-tests", title)
    assert "`pizhu label push --model default` makes some" in said("disconnect")


def test_taking_out_that_was_killed_is_repeated(
    server: Server, title: str, records: Records, service: Service, said: Callable[..., str]
) -> None:
    """And where somebody removed the service by hand, which leaves annotators without any."""
    project = push(server.access, [records(2, labels=["plan"], model="v1")], title=title).project
    register(server.access, service.url, "a-secret-of-the-tests", title)
    with connect(server.access) as client:
        [backend] = client.ml.list(project=project)
        client.ml.delete(id=backend.id)
    assert opened(server, project) == []
    said("disconnect")
    assert opened(server, project) == ["v1"]


def test_a_service_that_does_not_know_new_labels_is_told(
    server: Server, title: str, records: Records, service: Service, said: Callable[..., str], tmp_path: Path
) -> None:
    push(server.access, [records(2, labels=["plan"], model="v1")], title=title)
    register(server.access, service.url, "a-secret-of-the-tests", title)
    service.refusal = "the project asks for target but the model knows plan"
    labels = tmp_path / "标签.toml"
    rows = [
        ("achievement", "成效", ""),
        ("shortcoming", "不足", ""),
        ("target", "目标", "plan"),
        ("metric", "指标", ""),
    ]
    labels.write_text(
        "".join(
            f'[[label]]\nname = "{name}"\ntitle = "{shown}"\ncolor = "#d55e0{key}"\nhotkey = "{key}"\n'
            + (f'formerly = "{former}"\n' if former else "")
            for key, (name, shown, former) in enumerate(rows, 1)
        ),
        encoding="utf-8",
    )
    told = said("rename", "--labels", labels)
    assert f"annotators see no proposals: {service.url} says: the project asks for target but" in told
    said("proposals", "--show", "v1")
    assert "annotators see the proposals of v1" in said("proposals")
    assert "what the prediction service" not in said("proposals", "--show", NAME)
