"""Sending while people label: SQLite allows one writer at a time, and nothing is lost or duplicated."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import LabelingError
from pizhu.base.files import read_records, write_records
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio import busy, predictions, transfer
from pizhu.labeling.studio import push as pushing
from pizhu.labeling.studio.batches import batches
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.tasks import choices

from .people import labelling

Records = Callable[..., Path]
Tasks = Callable[[int], list[Any]]

pytestmark = pytest.mark.server

LOCKED = {"detail": "Sqlite <a href='…/databases/#database-is-locked-errors'>doesn't operate well</a>"}
PROPOSED = {"labels": ["plan"], "scores": {"plan": 0.75}, "model": "v1"}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits, small parts."""
    for module in (busy, predictions, pushing, transfer):
        monkeypatch.setattr(module, "WAITS", (0.01,) * 4)
    monkeypatch.setattr(pushing, "batches", partial(batches, size=10))
    monkeypatch.setattr(transfer, "_BATCH", 10)


@pytest.fixture
def imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What becomes of the next imports, in turn: "" nothing else, "before" and "after" the database is busy before or
    after the sentences are kept, "bare" Label Studio tries again without what comes with the sentences.
    """
    from label_studio_sdk.core.api_error import ApiError
    from label_studio_sdk.projects.client import ProjectsClient

    real, fates = ProjectsClient.import_tasks, list[str]()

    def import_tasks(self: Any, *, id: int, request: list[Any], **more: Any) -> Any:
        fate = fates.pop(0) if fates else ""
        if fate == "before":
            raise ApiError(status_code=500, body=LOCKED)
        if fate == "bare":
            request = [{name: task[name] for name in ("data", "meta") if name in task} for task in request]
        answer = real(self, id=id, request=request, **more)
        if fate == "after":
            raise ApiError(status_code=500, body=LOCKED)
        return answer

    monkeypatch.setattr(ProjectsClient, "import_tasks", import_tasks)
    yield fates
    assert not fates, "not all of it came about"


def check_whole(found: list[Any], count: int) -> None:
    """Each sentence once, with one proposal."""
    assert sorted(task.data["id"] for task in found) == [f"{n:016x}" for n in range(count)]
    assert [[choices(p.result) for p in task.predictions] for task in found] == [[["plan"]]] * count


def test_a_push_while_two_label(server: Server, title: str, records: Records, tasks: Tasks) -> None:
    project = push(server.access, [records(60, **PROPOSED)], title=title).project
    with labelling(server, project) as statuses:
        pushed = push(server.access, [records(1500, **PROPOSED)], title=title)
    assert (pushed.sent, pushed.present, pushed.proposals) == (1440, 60, 1440)
    check_whole(tasks(project), 1500)
    assert set(statuses) == {201}, "somebody's answer was refused"


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("fate", ["bare", "before", "after"])
def test_an_import_that_met_a_busy_database(
    server: Server, title: str, records: Records, tasks: Tasks, imports: list[str], fate: str
) -> None:
    imports += ["", fate, "", fate]
    pushed = push(server.access, [records(50, **PROPOSED)], title=title)
    assert (pushed.sent, pushed.proposals, pushed.shown) == (50, 50, "v1")
    check_whole(tasks(pushed.project), 50)
    again = push(server.access, [records(50, **PROPOSED)], title=title)
    assert (again.sent, again.present, again.proposals) == (0, 50, 0)


@pytest.mark.usefixtures("soon")
def test_proposals_that_met_a_busy_database(
    server: Server, title: str, records: Records, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    from label_studio_sdk.core.api_error import ApiError
    from label_studio_sdk.projects.client import ProjectsClient

    project = push(server.access, [records(20)], title=title).project
    real, calls = ProjectsClient.import_predictions, []

    def half(self: Any, *, id: int, request: list[Any], **more: Any) -> Any:
        calls.append(request)
        if len(calls) > 1:
            return real(self, id=id, request=request, **more)
        real(self, id=id, request=request[:5], **more)
        raise ApiError(status_code=500, body=LOCKED)

    monkeypatch.setattr(ProjectsClient, "import_predictions", half)
    assert push(server.access, [records(20, **PROPOSED)], title=title).proposals == 20
    assert [len(request) for request in calls] == [20, 15]
    check_whole(tasks(project), 20)


@pytest.mark.usefixtures("soon")
def test_a_database_that_stays_busy(server: Server, title: str, records: Records, imports: list[str]) -> None:
    push(server.access, [], title=title)
    imports += ["before"] * 5
    with pytest.raises(LabelingError, match=r"refused .*Sqlite"):
        push(server.access, [records(5)], title=title)
    assert push(server.access, [records(5)], title=title).sent == 5


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("killed", [False, True])
def test_a_transfer_of_bare_sentences(
    server: Server, title: str, records: Records, imports: list[str], killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"annotator": "甲", "labels": ["plan"], "at": "2026-03-02T08:00:00Z"}
    path = records(25, answers=[answer])
    rows = list(read_records(path))
    write_records(path, [*rows[:20], *(row | {"answers": []} for row in rows[20:])])
    imports += ["", "bare"]
    if killed:
        with monkeypatch.context() as patched:
            patched.setattr(time, "sleep", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                transfer.transfer(server.access, path, title=title)
    sent = transfer.transfer(server.access, path, title=title)
    assert sent.sent == (10 if killed else 25)
    with connect(server.access) as client:
        found = list(client.tasks.list(project=sent.project, fields="all", page_size=100))
    assert sorted(task.data["id"] for task in found) == [f"{n:016x}" for n in range(25)]
    assert sorted(len(task.annotations) for task in found) == [0] * 5 + [1] * 20
    assert transfer.transfer(server.access, path, title=title).sent == 0
