"""Label Studio with the secret gets the labels of `pizhu annotate`, in its own format."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.report import Report
from pizhu.labeling.backend.predictor import PARTIAL
from pizhu.labeling.backend.secret import authorizes, ensure_secret, event_secret
from pizhu.labeling.backend.trainer import Plan
from pizhu.labeling.studio.config import label_config
from pizhu.labeling.studio.tasks import choices
from pizhu.models.annotator import Annotator

from .conftest import SECRET, SHIPPED, Asked

RISK = LabelSet((Label("plan", "计划", "#0072b2", "1"), Label("risk", "风险", "#d55e00", "2")))
ROUTES = [
    ("POST", "/setup"),
    ("POST", "/predict"),
    ("GET", "/versions"),
    ("POST", "/webhook"),
    ("POST", "/train"),
    ("GET", "/state"),
    ("GET", "/"),
    ("GET", "/problem/x"),
]


def test_the_answers_are_those_of_annotate(ask: Asked, report: Report, report_tasks: list[dict[str, Any]]) -> None:
    annotated = Annotator.load(SHIPPED).annotate(report)
    expected = [list(s.labels or ()) or ["none"] for s in annotated.sentences if s.kind == "sentence"]
    answer = ask(report_tasks[::-1])  # in whatever order
    assert answer.status_code == 200
    results = answer.json()["results"][::-1]
    assert [choices(found["result"]) for found in results] == expected
    assert {found["context"] for found in results} == {"whole"}
    scores = [found["scores"] for found in results]
    least = [
        min(p if name in choices(f["result"]) else 1 - p for name, p in row.items())
        for f, row in zip(results, scores, strict=True)
    ]
    assert [found["score"] for found in results] == pytest.approx(least, abs=1e-4)
    assert {found["model_version"] for found in results} == {results[0]["model_version"]}


def test_a_lone_task_is_answered_from_its_own_context(ask: Asked, report_tasks: list[dict[str, Any]]) -> None:
    [found] = ask([report_tasks[5]]).json()["results"]
    assert found["context"] == "partial"
    assert found["result"][0]["meta"] == {"text": [PARTIAL]}
    assert choices(found["result"])


def test_a_task_that_pizhu_did_not_make_fails_alone(ask: Asked, report_tasks: list[dict[str, Any]]) -> None:
    strange, good = ask([{"id": 1, "data": {"text": "别人的任务。"}}, report_tasks[0]]).json()["results"]
    assert "pizhu did not make it" in strange["error"] and "result" not in strange
    assert choices(good["result"])


RENAMED = LabelSet(
    tuple(
        replace(label, name="problem", title="问题", formerly=("shortcoming",))
        if label.name == "shortcoming"
        else label
        for label in DEFAULT_LABELS
    )
)


def said(answer: Any) -> list[list[str]]:
    return [choices(found["result"]) for found in answer.json()["results"]]


def in_new_names(labels: list[list[str]]) -> list[list[str]]:
    return [["problem" if name == "shortcoming" else name for name in names] for names in labels]


def test_labels_that_are_renamed_while_it_runs(
    service: TestClient, ask: Asked, report_tasks: list[dict[str, Any]]
) -> None:
    """The project's configuration says what they were called."""
    before = said(ask(report_tasks))
    assert ["shortcoming"] in before
    answer = ask(report_tasks, label_config(RENAMED))
    assert said(answer) == in_new_names(before)
    assert set(answer.json()["results"][0]["scores"]) == set(RENAMED.names)
    assert service.post("/setup", json={"schema": label_config(RENAMED)}).status_code == 200
    unheard = LabelSet(tuple(replace(label, formerly=()) for label in RENAMED))
    assert ask(report_tasks, label_config(unheard)).status_code == 422


def test_a_model_from_before_a_renaming(
    open_service: Callable[..., TestClient], report_tasks: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Started with the label set, it fits even a configuration that says no former names."""
    plain = LabelSet(tuple(replace(label, formerly=()) for label in RENAMED))
    body = {"tasks": report_tasks, "project": "7"}
    answers = []
    for number, labels in enumerate((DEFAULT_LABELS, RENAMED)):
        service = open_service(plan=Plan("项目", labels), folder=tmp_path / str(number))
        config = label_config(DEFAULT_LABELS if labels is DEFAULT_LABELS else plain)
        answers.append(said(service.post("/predict", json=body | {"label_config": config})))
    assert answers[1] == in_new_names(answers[0])


def test_other_labels_are_one_sentence(service: TestClient, ask: Asked) -> None:
    for answer in (ask([], label_config(RISK)), service.post("/setup", json={"schema": label_config(RISK)})):
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("the project asks for plan, risk but the model knows achievement,")
    fits = service.post("/setup", json={"schema": label_config(DEFAULT_LABELS), "access_token": "t", "project": "1.2"})
    assert fits.status_code == 200
    assert fits.json()["model_version"] == service.get("/versions").json()["versions"][0]


@pytest.mark.parametrize("schema", ["", "<", "<View/>", "\\ud800"])
def test_what_is_no_project_of_pizhu_s(service: TestClient, schema: str) -> None:
    answer = service.post("/setup", content=f'{{"schema": "{schema}"}}', headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("the project asks for no labels of pizhu")


def test_label_studio_is_sent_where_the_sentence_stands(service: TestClient) -> None:
    headers = {"user-agent": "heartex/1.23.2"}
    answer = service.post("/setup", json={"schema": label_config(RISK)}, headers=headers)
    assert answer.status_code == 303
    there = service.get(answer.headers["location"])
    assert there.status_code == 422
    assert there.json()["error"].startswith("the project asks for plan, risk")


@pytest.mark.parametrize("body", [[], {"tasks": 1}, {"tasks": [1]}, {"tasks": []}, {"tasks": [], "label_config": 1}])
def test_what_is_no_request_is_refused(service: TestClient, body: Any) -> None:
    answer = service.post("/predict", json=body)
    assert answer.status_code == 400 and answer.json()["error"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("shown", [None, "Basic " + base64.b64encode(b"pizhu:wrong").decode(), "Bearer no", "Basic ?"])
def test_nobody_gets_in_without_the_secret(service: TestClient, method: str, path: str, shown: str | None) -> None:
    service.auth = None  # type: ignore[assignment]
    answer = service.request(method, path, json={}, headers={"authorization": shown} if shown else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_every_route_is_in_that_test(service: TestClient) -> None:
    known = {path for _, path in ROUTES} | {"/health"}
    assert {route.path.replace("{sentence:path}", "x") for route in service.app.routes} == known  # type: ignore[attr-defined]


def test_health_is_open_and_tells_nothing(service: TestClient) -> None:
    service.auth = None  # type: ignore[assignment]
    assert service.get("/health").json() == {"status": "UP"}


def test_pages_of_other_sites_may_not_train(service: TestClient) -> None:
    assert service.post("/train", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert service.get("/state").json()["run"] is None


def test_a_model_that_cannot_be_loaded_is_an_error(
    open_service: Callable[..., TestClient], tmp_path: Path, report_tasks: list[dict[str, Any]]
) -> None:
    broken = tmp_path / "坏模型"
    broken.mkdir()
    (broken / "pizhu.json").write_text("{}", encoding="utf-8")
    service = open_service(broken)
    health = service.get("/health")
    assert health.status_code == 503
    assert health.json()["status"] == "DOWN" and "坏模型" not in health.text
    body = {"tasks": report_tasks, "label_config": label_config(DEFAULT_LABELS)}
    for answer in (service.post("/predict", json=body), service.get("/versions"), service.post("/train")):
        assert answer.status_code == 503
        assert "坏模型" in answer.json()["error"]
    assert "模型不能载入" in service.get("/").text


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    secret = ensure_secret(tmp_path / "口令")
    assert ensure_secret(tmp_path / "口令") == secret
    assert (tmp_path / "口令").stat().st_mode & 0o077 == 0 or (tmp_path / "口令").drive
    assert authorizes(f"Bearer {secret}", secret)
    assert not authorizes(f"Bearer {event_secret(secret)}", secret)


def test_a_webhook_s_secret_only_counts(open_service: Callable[..., TestClient]) -> None:
    from pizhu.labeling.backend.trainer import Plan

    service = open_service(plan=Plan("项目", every=10))
    service.auth = None  # type: ignore[assignment]
    shown = {"authorization": f"Bearer {event_secret(SECRET)}"}
    assert service.post("/webhook", json={"action": "ANNOTATION_CREATED"}, headers=shown).json() == {"counted": True}
    training = {"action": "START_TRAINING", "project": {"title": "项目"}}
    assert service.post("/webhook", json=training, headers=shown).status_code == 401
    assert service.get("/state", auth=("pizhu", SECRET)).json()["annotations_since"] == 1


def test_other_actions_and_other_projects(service: TestClient) -> None:
    assert service.post("/webhook", json={"action": "TASKS_CREATED"}).json() == {"counted": False}
    other = service.post("/webhook", json={"action": "START_TRAINING", "project": {"title": "另一个"}})
    assert other.status_code == 422 and "另一个" in other.json()["error"]
    assert service.get("/state").json()["run"] is None


def test_connecting_without_the_secret_says_where_to_get_it(pizhu: Callable[..., Any], tmp_path: Path) -> None:
    told = pizhu("label", "connect", "--folder", tmp_path)
    assert told.status == 2
    assert "start the service here with `pizhu label predict-serve`" in " ".join(told.err.split())
