"""A better model is adopted, a worse one is not, and no failure takes down the service."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fastapi.testclient import TestClient
from pizhu.base.errors import LabelingError
from pizhu.base.files import write_records
from pizhu.data.labels import DEFAULT_LABELS, LabelSet
from pizhu.data.report import Report
from pizhu.labeling.backend.service import opened
from pizhu.labeling.backend.state import ENDED, Run, State, load_state, save_state
from pizhu.labeling.backend.trainer import Plan
from pizhu.labeling.studio.rename import rename_file
from pizhu.models.folder import load_about

from .conftest import FIELDS, SECRET, SHIPPED, no_label_studio

QUICK = Plan("项目", settings=FIELDS, corpus=False)


def test_the_shipped_corpus_is_left_out_as_in_training(tmp_path: Path) -> None:
    """A file of the default labels counts as one's own set too, else the corpus would judge what it did not teach."""
    assert Plan("项目").shipped
    assert not Plan("项目", corpus=False).shipped
    assert not Plan("项目", labels_file=tmp_path / "labels.toml").shipped


def begin(folder: Path, model: Path, taught: Iterable[Report], judged: Iterable[Report]) -> None:
    """The state of a service that was stopped when its first training had its answers."""
    for name, reports in (("training", taught), ("judged", judged)):
        write_records(folder / "runs" / "1" / f"{name}.jsonl", (row for r in reports for row in r.records()))
    run = Run(1, "training", "测试", "2026-11-24T08:00:00Z", reports=(1, 1))
    save_state(folder / "state.json", State(base=load_about(model).fingerprint, run=run))


def ended(service: TestClient | httpx.Client, seconds: float = 240) -> dict[str, Any]:
    """The state when the training has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state: dict[str, Any] = service.get("/state").json()
        if state["run"]["stage"] in ENDED:
            return state
        time.sleep(0.2)
    raise AssertionError(f"still {state}")


@pytest.fixture
def report(labelled: Report) -> Report:
    """What the tests' model knows by heart, as a report that it has not seen."""
    return replace(labelled, doc="判.txt")


@pytest.mark.slow
def test_a_better_model_is_taken_and_kept(
    open_service: Callable[..., TestClient], tmp_path: Path, model_folder: Path, otherwise: Report
) -> None:
    folder = tmp_path / "甲"
    begin(folder, model_folder, [otherwise], [replace(otherwise, doc="判.txt")])
    service = open_service(model_folder, QUICK, folder)
    before = service.get("/versions").json()["versions"][0]
    state = ended(service)
    run = state["run"]
    assert (run["stage"], run["error"]) == ("taken", None), run
    assert run["new"] > run["present"]
    assert state["model"]["version"].startswith("v1-") and state["model"]["version"] != before
    assert service.get("/versions").json()["versions"] == [state["model"]["version"]]
    assert "已经换用" in service.get("/").text
    assert any("Training" in line for line in run["log"])
    service.__exit__()
    saved = load_state(folder / "state.json")
    assert (saved.current, saved.versions) == (1, (1,))


@pytest.mark.slow
def test_a_worse_model_is_not(
    open_service: Callable[..., TestClient], tmp_path: Path, model_folder: Path, report: Report, otherwise: Report
) -> None:
    begin(tmp_path / "乙", model_folder, [otherwise], [report])
    service = open_service(model_folder, QUICK, tmp_path / "乙")
    before = service.get("/versions").json()
    state = ended(service)
    assert state["run"]["stage"] == "rejected", state["run"]
    assert state["run"]["new"] < state["run"]["present"]
    assert service.get("/versions").json() == before
    assert state["versions"] == []
    assert not (tmp_path / "乙" / "runs" / "1" / "model").exists()
    assert "仍用原来的模型" in service.get("/").text


@pytest.mark.slow
def test_a_model_from_before_a_renaming_is_judged_too(
    open_service: Callable[..., TestClient], tmp_path: Path, model_folder: Path, otherwise: Report
) -> None:
    """The answers have the new names, which it does not know; the one that is trained from it has them."""
    labels = LabelSet(tuple(replace(label, name=f"x-{label.name}", formerly=(label.name,)) for label in DEFAULT_LABELS))
    (tmp_path / "标签.toml").write_text(
        "".join(
            f'[[label]]\nname = "{label.name}"\ntitle = "{label.title}"\ncolor = "{label.color}"\n'
            f'hotkey = "{label.hotkey}"\nformerly = "{label.formerly[0]}"\n'
            for label in labels
        ),
        encoding="utf-8",
    )
    folder = tmp_path / "丙"
    begin(folder, model_folder, [otherwise], [replace(otherwise, doc="判.txt")])
    for name in ("training", "judged"):
        rename_file(folder / "runs" / "1" / f"{name}.jsonl", labels)
    plan = replace(QUICK, labels=labels, labels_file=tmp_path / "标签.toml")
    run = ended(open_service(model_folder, plan, folder))["run"]
    assert (run["stage"], run["error"]) == ("taken", None), run
    assert run["new"] > run["present"]


def test_what_fails_is_told_and_can_be_tried_again(service: TestClient) -> None:
    assert service.post("/train").status_code == 202
    state = ended(service)
    assert (state["run"]["stage"], state["run"]["error"]) == ("failed", "no Label Studio is running here")
    assert "训练没有成功" in service.get("/").text
    assert service.get("/health").status_code == 200
    again = service.post("/train", headers={"content-type": "application/x-www-form-urlencoded"})
    assert again.status_code == 303
    assert ended(service)["run"]["number"] == 2


def test_one_at_a_time_and_page_text_is_data(tmp_path: Path) -> None:
    import threading

    go = threading.Event()

    def slow() -> Any:
        go.wait(30)
        raise LabelingError("<script>alert(1)</script> @@model@@")

    with opened(tmp_path, SHIPPED, Plan("<b>项目</b>"), SECRET, slow) as app, TestClient(app) as service:
        service.auth = ("pizhu", SECRET)
        assert service.post("/train").status_code == 202
        assert service.post("/train").status_code == 409
        assert 'http-equiv="refresh"' in service.get("/").text
        go.set()
        ended(service)
        text = service.get("/").text
        assert "&lt;script&gt;" in text and "<script" not in text and "<b>" not in text and "@@model@@" in text


def test_two_services_in_one_folder(service: TestClient, tmp_path: Path) -> None:
    again = opened(tmp_path / "服务", SHIPPED, Plan("项目"), SECRET, no_label_studio)
    with pytest.raises(LabelingError, match="another prediction service uses"), again:
        pass


def test_every_so_many_annotations(open_service: Callable[..., TestClient]) -> None:
    service = open_service(plan=Plan("项目", every=3))
    for count in (1, 2):
        service.post("/webhook", json={"action": "ANNOTATION_CREATED"})
        assert service.get("/state").json()["annotations_since"] == count
    service.post("/webhook", json={"action": "ANNOTATION_UPDATED"})
    state = ended(service)
    assert (state["run"]["number"], state["annotations_since"]) == (1, 0)


def test_a_version_that_is_broken_is_an_error_not_a_fallback(
    open_service: Callable[..., TestClient], tmp_path: Path
) -> None:
    folder = tmp_path / "丙"
    state = State(base=load_about(SHIPPED).fingerprint, current=3, versions=(3,))
    save_state(folder / "state.json", state)
    service = open_service(folder=folder)
    assert service.get("/health").status_code == 503
    assert "versions" in service.get("/state").json()["problem"]


def test_another_model_begins_anew(open_service: Callable[..., TestClient], tmp_path: Path) -> None:
    folder = tmp_path / "丁"
    run = Run(4, "training", "测试", "2026-11-24T08:00:00Z")
    save_state(folder / "state.json", State(base="another", current=3, versions=(3,), run=run))
    state = open_service(folder=folder).get("/state").json()
    assert state["model"]["version"].startswith("default-")
    assert state["run"]["stage"] == "failed" and "another model" in state["run"]["error"]


def test_the_state_is_what_was_saved(tmp_path: Path) -> None:
    state = State(
        "b", 2, (1, 2), 5, ("甲",), ("乙",), Run(2, "taken", "测试", "2026-11-24T08:00:00Z", None, (3, 1), 0.5, 0.625)
    )
    save_state(tmp_path / "state.json", state)
    assert load_state(tmp_path / "state.json") == state
    (tmp_path / "state.json").write_text(json.dumps(asdict(replace(state)) | {"more": 1}), encoding="utf-8")
    with pytest.raises(LabelingError, match="damaged"):
        load_state(tmp_path / "state.json")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
def test_killed_it_leaves_no_orphan_and_goes_on(tmp_path: Path, model_folder: Path, otherwise: Report) -> None:
    home = tmp_path / "服 务"
    begin(home / "predict", model_folder, [otherwise], [replace(otherwise, doc="判.txt")])
    words = ["label", "predict-serve", "--port", "0", "--folder", home, "--model", model_folder, "--project", "项目"]
    words += ["--no-corpus", *(word for field in FIELDS for word in ("--set", field))]

    def start() -> tuple[subprocess.Popen[str], httpx.Client]:
        process = subprocess.Popen([sys.executable, "-m", "pizhu", *map(str, words)], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        secret = (home / "predict" / "secret").read_text(encoding="utf-8").strip()
        return process, httpx.Client(base_url=url, auth=("pizhu", secret), trust_env=False)

    process, service = start()
    with process, service:
        children: list[psutil.Process] = []
        while not children:
            children = psutil.Process(process.pid).children(recursive=True)
            time.sleep(0.05)
        assert SECRET not in " ".join(children[0].cmdline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive
    process, service = start()
    with process, service:
        try:
            state = ended(service)
            assert state["run"]["stage"] in ("taken", "rejected"), state["run"]
        finally:
            process.terminate()
        assert process.wait(30) == 0
