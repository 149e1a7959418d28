"""After the first pull only changes are fetched, with the same result as fetching everything."""

import itertools
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.files import read_records
from pizhu.cli import app
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio import fetch
from pizhu.labeling.studio.client import Client, connect
from pizhu.labeling.studio.pull import Pulled, pull
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.snapshots import Snapshots
from pizhu.labeling.studio.tasks import result
from typer.testing import CliRunner

Records = Callable[..., Path]

pytestmark = pytest.mark.server


class Pulls:
    """Pulls of one project, each compared with a full one to another place."""

    def __init__(self, server: Server, title: str, folder: Path) -> None:
        self.access, self.title, self.folder = server.access, title, folder
        self.output = folder / "答案.jsonl"
        self._numbers = itertools.count()

    def __call__(self, **more: Any) -> Pulled:
        return pull(self.access, self.output, title=self.title, **more)

    def alike(self) -> bool:
        """Whether those that Label Studio has are as a first pull would write them."""
        other = self.folder / f"other {next(self._numbers)}.jsonl"
        pull(self.access, other, title=self.title)
        there = [record for record in read_records(self.output) if "deleted" not in record]
        return there == list(read_records(other))


@pytest.fixture
def pulls(server: Server, title: str, tmp_path: Path) -> Pulls:
    return Pulls(server, title, tmp_path)


def task_numbers(client: Client, project: int) -> list[int]:
    return sorted(int(task.id) for task in client.tasks.list(project=project, page_size=1000))


def answer(client: Client, task: int, *labels: str, **more: Any) -> int:
    given = {"was_cancelled": False, "lead_time": 2.5} | more
    return int(client.annotations.create(id=task, result=result(labels), **given).id)


def test_every_kind_of_change_is_seen(server: Server, title: str, records: Records, pulls: Pulls) -> None:
    project = push(server.access, [records(6)], title=title).project
    with connect(server.access) as client:
        tasks = task_numbers(client, project)
        first = answer(client, tasks[0], "plan")
        second = answer(client, tasks[1], "plan")
        assert pulls().full == "this is the first pull"
        nothing = pulls()
        assert (nothing.changed, nothing.full, nothing.snapshot) == (0, None, None)

        client.annotations.update(id=first, result=result(["metric"]))
        client.annotations.delete(id=second)
        answer(client, tasks[2])
        client.annotations.create(id=tasks[3], result=[], was_cancelled=True)
        pulled = pulls()
        assert (pulled.changed, pulled.withdrawn, pulled.deleted, pulled.full) == (4, 1, 0, None)
        states = [record["state"] for record in read_records(pulls.output)]
        assert states == ["labelled", "unlabelled", "none", "skipped", "unlabelled", "unlabelled"]
        assert pulls.alike()

        push(server.access, [records(8)], title=title)
        assert (pulls().changed, pulls.alike()) == (2, True)


def test_deleted_tasks_stay_marked_and_come_back(server: Server, title: str, records: Records, pulls: Pulls) -> None:
    project = push(server.access, [records(4)], title=title).project
    with connect(server.access) as client:
        tasks = task_numbers(client, project)
        answer(client, tasks[1], "plan")
        pulls()
        before = list(read_records(pulls.output))
        # One goes and one comes: as many as before.
        client.tasks.delete(id=tasks[1])
        client.projects.import_tasks(
            id=project, request=[{"data": {**client.tasks.get(id=tasks[0]).data, "id": "new", "start": 99, "end": 199}}]
        )
    command = ["label", "pull", str(pulls.output), "--project", title, "--folder", server.folder]
    outcome = CliRunner().invoke(app, command)
    assert outcome.exit_code == 0 and "1 sentences were deleted in Label Studio" in outcome.stdout
    found = list(read_records(pulls.output))
    assert len(found) == 5 and found[1].pop("deleted")
    assert found[1]["answers"][0].pop("deleted") and found[:4] == before
    assert pulls.alike()
    assert pulls().deleted == 0  # told once

    outcome = CliRunner().invoke(app, ["label", "transfer", *command[2:]])
    assert outcome.exit_code == 0 and "1 sentences sent with 1 answers; 4 were there" in outcome.stdout
    pulls()
    assert list(read_records(pulls.output))[:4] == before


def test_what_the_times_do_not_tell_is_seen_all_the_same(
    server: Server, title: str, records: Records, pulls: Pulls
) -> None:
    """An answer without its task's time, as a kill between the two leaves it, and tasks older than was known."""
    project = push(server.access, [records(3)], title=title).project
    with connect(server.access) as client:
        tasks = task_numbers(client, project)
        answer(client, tasks[0], "plan")
        pulls()
        with closing(sqlite3.connect(Path(server.folder) / "data" / "label_studio.sqlite3", timeout=60)) as database:
            old = "2020-01-01 00:00:00.000001"
            answer(client, tasks[1], "plan")
            with database:
                database.execute("UPDATE task SET updated_at = ? WHERE id = ?", (old, tasks[1]))
            pulled = pulls()
            assert pulled.full is None and pulled.changed == 1 and pulls.alike()  # its time differs from the known
            answer(client, tasks[2], "plan")
            known = Snapshots(pulls.output).state()
            assert known
            with database:
                time = known.rows[tasks[2]]["updated_at"].replace("T", " ").rstrip("Z")
                database.execute("UPDATE task SET updated_at = ? WHERE id = ?", (time, tasks[2]))
            pulled = pulls()
            assert pulled.full is None and pulled.changed == 1 and pulls.alike()


@pytest.mark.parametrize("hours", [-30, -1, 0, 1])
def test_a_clock_that_was_set_hides_nothing(
    server: Server, title: str, records: Records, pulls: Pulls, hours: int
) -> None:
    """Answers that are changed bear times from before, or as of, the last pull; there are as many as before."""
    project = push(server.access, [records(4)], title=title).project
    with connect(server.access) as client:
        tasks = task_numbers(client, project)
        given = [answer(client, task, "plan") for task in tasks]
        pulls()
        known = Snapshots(pulls.output).state()
        assert known
        client.annotations.update(id=given[0], result=result(["metric"]))
        client.annotations.delete(id=given[1])
        answer(client, tasks[1], "shortcoming")
        client.annotations.update(id=given[2], result=[], was_cancelled=True)
        when = datetime.fromisoformat(known.rows[tasks[3]]["updated_at"]) + timedelta(hours=hours)
        stamp = f"{when:%Y-%m-%d %H:%M:%S.%f}"
        path = Path(server.folder) / "data" / "label_studio.sqlite3"
        with closing(sqlite3.connect(path, timeout=60)) as database, database:
            for table, key in (("task", "id"), ("task_completion", "task_id")):
                change = f"UPDATE {table} SET updated_at = ? WHERE {key} IN (?, ?, ?)"
                assert database.execute(change, (stamp, *tasks[:3])).rowcount == 3
        pulled = pulls()
        assert (pulled.full, pulled.changed) == (None, 3)
        assert [record["state"] for record in read_records(pulls.output)] == ["labelled"] * 2 + ["skipped", "labelled"]
        assert pulls.alike() and pulls().changed == 0


def test_a_label_studio_that_cannot_tell_is_asked_for_everything(
    server: Server, title: str, records: Records, pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that pizhu did not start."""
    project = push(server.access, [records(2)], title=title).project
    pulls()
    monkeypatch.setattr(fetch, "_TIMES", "api/projects/{}/no-such-page")
    with connect(server.access) as client:
        answer(client, task_numbers(client, project)[0], "plan")
    pulled = pulls()
    assert pulled.changed == 1 and pulled.full == "pizhu did not start this Label Studio, so it cannot list changes"
    assert pulls.alike()


def test_the_server_keeps_no_copy(server: Server, title: str, records: Records, pulls: Pulls) -> None:
    """Of what was exported now, or earlier."""
    kept = Path(server.folder) / "data" / "export"
    for name in ("project-1-at-2020-05-01-12-00-0a1b2c3d.json", "project-1-at-2020-05-01-12-00-0a1b2c3d-info.json"):
        (kept / name).write_text("[]", encoding="utf-8")
    project = push(server.access, [records(3)], title=title).project
    with ThreadPoolExecutor(4) as pool:  # in one minute they would share the copy
        list(pool.map(lambda number: pull(server.access, pulls.folder / f"{number}.jsonl", title=title), range(4)))
    assert not list(kept.iterdir())
    with connect(server.access) as client:
        answer(client, task_numbers(client, project)[0], "plan")
    assert pulls(full=True).changed == 3 and pulls.alike()
    assert not list(kept.iterdir())


def test_everything_is_fetched_when_the_memory_is_no_good(
    server: Server, title: str, records: Records, pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = push(server.access, [records(3)], title=title).project
    with connect(server.access) as client:
        tasks = task_numbers(client, project)
        pulls()
        assert pulls(full=True).full == "--full was given"
        answer(client, tasks[0], "plan")
        client.tasks.delete(id=tasks[1])
        last = pulls().snapshot
        assert last
        last.write_bytes(last.read_bytes()[:-20])
        pulled = pulls()
        assert pulled.full == "a snapshot is damaged" and pulled.snapshot
        # The deletion that the damaged one told of is found again.
        assert [record.get("deleted", False) for record in read_records(pulls.output)] == [False, True, False]
        assert pulls().full is None and pulls.alike()

        for path in Snapshots(pulls.output).folder.iterdir():
            path.write_bytes(b"")
        assert pulls().full == "earlier pulls cannot be read"

    other = f"{title[:40]} 另一个"
    push(server.access, [records(2)], title=other)
    pulled = pull(server.access, pulls.output, title=other)
    assert pulled.full == "earlier pulls were from another project" and len(list(read_records(pulls.output))) == 2
    outcome = CliRunner().invoke(app, ["label", "pull", str(pulls.output), "--list", "--json"])
    listed = json.loads(outcome.stdout)
    assert [snapshot["title"] for snapshot in listed] == [title, other]


def test_many_changes_are_exported_at_once(
    server: Server, title: str, records: Records, pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(server.access, [records(3)], title=title)
    pulls()
    push(server.access, [records(9)], title=title)
    monkeypatch.setattr(fetch, "_FEW", 4)
    pulled = pulls()
    assert (pulled.full, pulled.changed, pulls.alike()) == (None, 6, True)


def test_labels_and_names_are_read_anew(server: Server, title: str, records: Records, pulls: Pulls) -> None:
    """They may change without any task changing."""
    project = push(server.access, [records(1)], title=title).project
    with connect(server.access) as client:
        [task] = task_numbers(client, project)
        answer(client, task, "plan")
        me = client.users.whoami().id
        pulls()
        try:
            client.users.update(id=me, first_name="组长")
            pulled = pulls()
        finally:
            client.users.update(id=me, first_name="")
        assert (pulled.answers, pulled.changed, pulled.full) == ({"组长": 1}, 0, None)
        assert pulls().answers == {"owner@pizhu.local": 1}
