"""The service with the shipped model, without Label Studio, and tasks as Label Studio sends them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pizhu
import pytest
from fastapi.testclient import TestClient
from pizhu.base.errors import LabelingError
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report
from pizhu.labeling.backend.service import opened
from pizhu.labeling.backend.trainer import Plan
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.config import label_config
from pizhu.labeling.studio.tasks import to_tasks

SECRET = "a-secret-of-the-tests"
SHIPPED = Path(pizhu.__file__).parent / "models" / "default"

# Trainings of the tiny model of the tests, in seconds.
FIELDS = (
    *("training.epochs=30", "training.patience=0", "encoder.frozen_layers=0", "training.encoder_lr=3e-3"),
    "training.head_lr=1e-2",
)

Asked = Callable[..., Any]


def no_label_studio() -> Access:
    raise LabelingError("no Label Studio is running here")


@pytest.fixture
def open_service(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Starts the service on a model; it is asked with the secret."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def open_(model: Path = SHIPPED, plan: Plan = Plan("项目"), folder: Path = tmp_path / "服务") -> TestClient:  # noqa: B008
            app = stack.enter_context(opened(folder, model, plan, SECRET, no_label_studio))
            client = stack.enter_context(TestClient(app, follow_redirects=False))
            client.auth = ("pizhu", SECRET)
            return client

        yield open_


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """For so small models as the tests train, threads that wait for each other cost more than they save."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def service(open_service: Callable[..., TestClient]) -> TestClient:
    return open_service()


@pytest.fixture(scope="session")
def report() -> Report:
    """A report of the shipped corpus, without its labels."""
    found = load_corpus(split="test")[0].report
    return found.with_labels([None] * len(found.sentences))


@pytest.fixture(scope="session")
def report_tasks(report: Report) -> list[dict[str, Any]]:
    """Its tasks as Label Studio sends them."""
    tasks = to_tasks(report.records(), DEFAULT_LABELS, report.doc)
    return [{"id": number, "project": 7, "data": task["data"]} for number, task in enumerate(tasks, 1)]


@pytest.fixture
def ask(service: TestClient) -> Asked:
    """Asks for predictions."""

    def ask_(tasks: list[dict[str, Any]], config: str = label_config(DEFAULT_LABELS)) -> Any:
        return service.post("/predict", json={"tasks": tasks, "project": "7.1763900000", "label_config": config})

    return ask_


@pytest.fixture
def otherwise(labelled: Report) -> Report:
    """The same sentences labelled quite otherwise."""
    names = ("achievement", "shortcoming", "plan", "metric")
    swapped = dict(zip(names, names[::-1], strict=True))
    return replace(labelled, doc="学.txt").with_labels(
        [[swapped[name] for name in s.labels or ()] for s in labelled.sentences]
    )
