"""The real Label Studio with the real service: registration, predictions for opened sentences, training."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pizhu.base.errors import LabelingError
from pizhu.base.files import write_records
from pizhu.cli import app
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.report import Report, Span
from pizhu.labeling.backend.judging import divide
from pizhu.labeling.backend.register import NAME, register
from pizhu.labeling.backend.state import ENDED
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.submit import submit
from pizhu.labeling.studio.tasks import choices
from pizhu.models.annotator import Annotator
from typer.testing import CliRunner

from .conftest import FIELDS, SHIPPED

pytestmark = pytest.mark.server


class Service:
    """`pizhu label predict-serve` in a process of its own."""

    def __init__(self, server: Server, title: str, folder: Path, *words: str) -> None:
        self.secret_file = folder / "口令"
        given = ["--port", "0", "--model", SHIPPED, "--folder", folder, "--project", title, "--url", server.url]
        token = folder / "token"
        token.touch(0o600)
        token.write_text(server.token, encoding="utf-8")
        given += ["--token-file", token, "--secret-file", self.secret_file, *words]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pizhu", "label", "predict-serve", *map(str, given)],
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().split()[-1]
        self.secret = self.secret_file.read_text(encoding="utf-8").strip()
        self.http = httpx.Client(base_url=self.url, auth=("pizhu", self.secret), trust_env=False, timeout=30)

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout
        return self.process.stdout.readline()

    def stop(self) -> None:
        self.http.close()
        with self.process:
            self.process.terminate()
            assert self.process.wait(30) == 0


@pytest.fixture
def project(server: Server, title: str, tmp_path: Path, report: Report) -> int:
    write_records(tmp_path / "报告.jsonl", report.records())
    return push(server.access, [tmp_path / "报告.jsonl"], title=title).project


@pytest.fixture
def start(server: Server, title: str, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    started: list[Service] = []

    def start_(*words: str) -> Service:
        folder = tmp_path / f"服务 {len(started)}"
        folder.mkdir()
        started.append(Service(server, title, folder, *words))
        return started[-1]

    yield start_
    for service in started:
        service.stop()


def asked(access: Access) -> httpx.Client:
    headers = {"Authorization": f"Token {access.token}"}
    return httpx.Client(base_url=access.url, headers=headers, trust_env=False, timeout=60)


def test_an_opened_sentence_has_its_proposal(
    server: Server, title: str, project: int, report: Report, start: Callable[..., Service], tmp_path: Path
) -> None:
    service = start("--connect")
    assert "registered; its model is default-" in service.line()
    expected = {
        s.id: list(s.labels or ()) or ["none"]
        for s in Annotator.load(SHIPPED).annotate(report).sentences
        if s.kind == "sentence"
    }
    jia = Access(server.url, server.accounts.annotators["甲"].token)
    with asked(jia) as browser, connect(server.access) as client:
        # The next sentence, as the labelling page asks for it.
        opened = browser.get(f"/api/projects/{project}/next").raise_for_status().json()
        [proposal] = opened["predictions"]
        assert choices(proposal["result"]) == expected[opened["data"]["id"]]
        assert "meta" not in proposal["result"][0], "the report was not whole"
        assert proposal["model_version"].startswith("default-")
        # A sentence chosen in the list.
        numbers = [
            task.id for task in client.tasks.list(project=project, fields="task_only", include="id", page_size=500)
        ]
        for number in (numbers[3], numbers[-1]):
            task = browser.get(f"/api/tasks/{number}", params={"project": project}).raise_for_status().json()
            [proposal] = task["predictions"]
            assert choices(proposal["result"]) == expected[task["data"]["id"]]
        # Opened again, it is not asked again.
        browser.get(f"/api/tasks/{numbers[3]}", params={"project": project}).raise_for_status()
        assert len(client.tasks.get(id=numbers[3]).predictions) == 1
        # All at once, as the list's action does.
        action = {"selectedItems": {"all": True, "excluded": []}, "project": project}
        browser.post(
            "/api/dm/actions", params={"id": "retrieve_tasks_predictions", "project": project}, json=action
        ).raise_for_status()
        rows = client.predictions.list(project=project)
        assert len({row.task for row in rows}) == len(rows) == len(expected)
        # What is pushed later does not switch it off.
        write_records(tmp_path / "v9.jsonl", [{**r, "labels": [], "model": "v9"} for r in report.records()])
        pushed = push(server.access, [tmp_path / "v9.jsonl"], title=title)
        assert (pushed.proposals, pushed.shown, pushed.live) == (len(expected), NAME, True)
        assert client.projects.get(project).model_version == NAME
    assert service.http.get("/state").json()["context_problem"] == ""


def test_it_runs_on_through_a_renaming(
    server: Server, title: str, project: int, start: Callable[..., Service], tmp_path: Path
) -> None:
    start("--connect").line()
    with asked(Access(server.url, server.accounts.annotators["甲"].token)) as browser, connect(server.access) as client:
        renamed = tmp_path / "标签.toml"
        renamed.write_text(
            "".join(
                f'[[label]]\nname = "x-{label.name}"\ntitle = "{label.title}"\ncolor = "{label.color}"\n'
                f'hotkey = "{label.hotkey}"\nformerly = "{label.name}"\n'
                for label in DEFAULT_LABELS
            ),
            encoding="utf-8",
        )
        command = ["label", "rename", "--labels", str(renamed), "--project", title, "--folder", server.folder]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0 and "annotators see no proposals" not in done.output, done.output
        opened = browser.get(f"/api/projects/{project}/next").raise_for_status().json()
        [proposal] = opened["predictions"]
        assert all(name == "none" or name.startswith("x-") for name in choices(proposal["result"]))
        [backend] = client.ml.list(project=project)
        assert (backend.state, backend.error_message) == ("CO", None)


def test_registering_is_idempotent_and_follows_the_address(
    server: Server, title: str, project: int, start: Callable[..., Service]
) -> None:
    one = start()
    first = register(server.access, one.url, one.secret, title)
    assert (first.created, first.moved_from, first.hidden) == (True, None, False)
    again = register(server.access, one.url + "/", one.secret, title)
    assert (again.created, again.moved_from, again.backend) == (False, None, first.backend)
    with connect(server.access) as client:
        assert [hook.url for hook in client.webhooks.list(project=str(project))] == []
    two = start()
    command = ["label", "connect", two.url, "--project", title, "--folder", server.folder, "--events"]
    told = CliRunner().invoke(app, [*command, "--secret-file", str(two.secret_file), "--json"])
    assert json.loads(told.stdout)["moved_from"] == one.url
    with connect(server.access) as client:
        [backend] = client.ml.list(project=project)
        assert (backend.url, backend.title, backend.state) == (two.url, NAME, "CO")
        [hook] = client.webhooks.list(project=str(project))
        assert hook.url == f"{two.url}/webhook"
        for text in (str(hook), str(backend), str(client.projects.get(project))):
            assert two.secret not in text  # every annotator may read these


def test_a_wrong_secret_and_other_labels_are_told(
    server: Server, title: str, project: int, start: Callable[..., Service]
) -> None:
    service = start()
    with pytest.raises(LabelingError, match="refused"):
        register(server.access, service.url, "not-the-secret-at-all", title)
    other = LabelSet((Label("plan", "计划", "#0072b2", "1"), Label("risk", "风险", "#d55e00", "2")))
    push(server.access, [], title=title, labels=other)
    with pytest.raises(LabelingError, match="the_project_asks_for_plan,_risk"):
        register(server.access, service.url, service.secret, title)
    with pytest.raises(LabelingError, match="has no project titled"):
        register(server.access, service.url, service.secret, "没有这个项目")


def test_it_waits_for_the_project(server: Server, title: str, tmp_path: Path, start: Callable[..., Service]) -> None:
    service = start("--connect")
    push(server.access, [], title=title)
    assert title in service.line()


def test_the_button_in_label_studio_trains(
    server: Server, title: str, project: int, start: Callable[..., Service]
) -> None:
    service = start("--retrain-every", "2")
    found = register(server.access, service.url, service.secret, title, events=True)
    jia = Access(server.url, server.accounts.annotators["甲"].token)
    with asked(server.access) as owner, asked(jia) as browser:
        owner.post(f"/api/ml/{found.backend}/train", json={}).raise_for_status()
        run = ended(service)
        # Nobody has labelled anything; the answers were pulled to find that out.
        assert (run["number"], run["stage"]) == (1, "failed")
        assert "no sentence has labels" in run["error"]
        assert "按钮" in run["why"]
        for _ in range(2):
            task = browser.get(f"/api/projects/{project}/next").raise_for_status().json()
            body = {"result": task["predictions"][0]["result"]}
            browser.post(f"/api/tasks/{task['id']}/annotations", json=body).raise_for_status()
        until = time.monotonic() + 30
        while service.http.get("/state").json()["run"]["number"] < 2 and time.monotonic() < until:
            time.sleep(0.2)
        assert service.http.get("/state").json()["run"]["number"] == 2


@pytest.mark.slow
def test_answers_make_a_better_model(
    server: Server, title: str, tmp_path: Path, start: Callable[..., Service], model_folder: Path, otherwise: Report
) -> None:
    docs = ("学习.txt", "判断.txt")
    assert divide(docs).taught and divide(docs).held
    rows = [
        row | {"answers": [{"annotator": "甲", "labels": row["labels"]}]}
        for doc in docs
        for row in Report.build(doc, otherwise.text, [Span(s.start, s.end, s.kind) for s in otherwise.sentences])
        .with_labels([s.labels for s in otherwise.sentences])
        .records()
    ]
    sentences = [row for row in rows if row["kind"] == "sentence"]
    write_records(
        tmp_path / "报告.jsonl", [{k: v for k, v in row.items() if k not in ("labels", "answers")} for row in rows]
    )
    write_records(tmp_path / "答案.jsonl", sentences)
    project = push(server.access, [tmp_path / "报告.jsonl"], title=title, overlap=1).project
    submit(server.access, tmp_path / "答案.jsonl", {"甲": server.accounts.annotators["甲"].token}, title=title)
    fields = [word for field in FIELDS for word in ("--set", field)]
    service = start("--connect", "--no-corpus", "--model", str(model_folder), *fields)
    service.line()
    with asked(server.access) as owner, connect(server.access) as client:
        [backend] = client.ml.list(project=project)
        owner.post(f"/api/ml/{backend.id}/train", json={}).raise_for_status()
        run = ended(service)
        assert (run["stage"], run["reports"]) == ("taken", [1, 1]), run
        assert run["new"] > run["present"]
        # Label Studio sees the new version, and asks again for what it has of the old one only.
        [backend] = client.ml.list(project=project)
        assert backend.model_version.startswith("v1-")


def ended(service: Service) -> dict[str, Any]:
    until = time.monotonic() + 400
    while time.monotonic() < until:
        run: dict[str, Any] | None = service.http.get("/state").json()["run"]
        if run and run["stage"] in ENDED:
            return run
        time.sleep(0.2)
    raise AssertionError(f"still {run}")
