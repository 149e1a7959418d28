"""After kill -9 of the server or the push, the same command completes the work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pizhu.base.files import read_records, write_records
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.submit import submit
from pizhu.labeling.studio.tasks import choices

from .conftest import NewServer, Records

pytestmark = [pytest.mark.server, pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")]

COUNT = 4000  # several requests of a push
TITLE = "中断的项目"


@pytest.fixture
def served(environment: Path, any_new_server: NewServer, tmp_path: Path) -> Iterator[Server]:
    folder = any_new_server(tmp_path / "服务器")
    try:
        yield servers.start(folder, environment=environment)
    finally:
        servers.stop(folder)


def begin(server: Server, *words: str | Path) -> subprocess.Popen[str]:
    """A command of `pizhu label` on ``server`` as a process of its own."""
    command = [sys.executable, "-c", "from pizhu.cli import main; main()", "label", *map(str, words)]
    command += ["--project", TITLE, "--folder", server.folder]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8")


def kill(pid: int) -> None:
    process = psutil.Process(pid)
    process.send_signal(signal.SIGKILL)
    process.wait(30)


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, "it was over before anything was killed"
        time.sleep(0.01)


def arrived(server: Server, least: int) -> Callable[[], bool]:
    """Whether at least so many sentences have come to the project."""

    def ask() -> bool:
        with connect(server.access) as client:
            found = [project for project in client.projects.list(title=TITLE) if project.title == TITLE]
            return bool(found) and client.projects.get(found[0].id).task_number >= least

    return ask


def check_whole(server: Server, path: Path) -> None:
    """Every sentence of ``path`` has exactly one task and one prediction; pushing again sends nothing."""
    again = push(server.access, [path], title=TITLE)
    assert (again.sent, again.present, again.proposals) == (0, COUNT, 0)
    with connect(server.access) as client:
        tasks = list(
            client.tasks.list(project=again.project, fields="task_only", include="id,data", page_size=2 * COUNT)
        )
        predictions = list(client.predictions.list(project=again.project))
    assert sorted(task.data["id"] for task in tasks) == [f"{n:016x}" for n in range(COUNT)]
    assert sorted(prediction.task for prediction in predictions) == sorted(task.id for task in tasks)
    assert all(choices(prediction.result) == ["plan"] for prediction in predictions)


@pytest.mark.parametrize("victim", ["server", "push"])
def test_in_the_middle_of_a_push(served: Server, environment: Path, records: Records, victim: str) -> None:
    path = records(COUNT, labels=["plan"], scores={"plan": 0.75}, model="第一版")
    # Not all databases keep all characters: one sentence that holds some must not keep the others away.
    rows = list(read_records(path))
    write_records(
        path, [row | {"text": f"{row['text']}\0\ud800"} if n in (7, 3007) else row for n, row in enumerate(rows)]
    )
    with begin(served, "push", path) as process:
        until(arrived(served, 400), process)
        kill(served.pid if victim == "server" else process.pid)
        _, complaint = process.communicate(timeout=60)
    if victim == "server":
        assert process.returncode == 2 and "Traceback" not in complaint
        last = complaint.splitlines()[-1]
        assert last.startswith("pizhu: ") and "Label Studio at" in last
        assert servers.running(served.folder) is None
        again = servers.start(served.folder, environment=environment)
        assert again.url == served.url  # what annotators have kept stays good
        served = again
    pushed = push(served.access, [path], title=TITLE)
    assert pushed.sent > 0 and pushed.present >= 400 and pushed.sent + pushed.present == COUNT
    check_whole(served, path)


def test_in_the_middle_of_a_pull(served: Server, environment: Path, records: Records, tmp_path: Path) -> None:
    path = records(COUNT, labels=["plan"], scores={"plan": 0.75}, model="第一版")
    push(served.access, [path], title=TITLE)
    given = tmp_path / "答案.jsonl"
    answered = [record["id"] for record in read_records(path)][:20]
    answer = [{"annotator": "甲", "labels": ["plan"]}]
    write_records(given, ({**r, "answers": answer} for r in read_records(path) if r["id"] in answered))
    submit(served.access, given, {"甲": served.accounts.annotators["甲"].token}, title=TITLE)
    output = tmp_path / "拉取" / "答案.jsonl"
    output.parent.mkdir()

    with begin(served, "pull", output) as process:
        log = Path(served.folder) / "server.log"
        asked = log.stat().st_size
        busy = psutil.Process(served.pid)
        worked = busy.cpu_times().user
        # The export's request is logged when it is over; until then the server is at work on it.
        until(lambda: busy.cpu_times().user > worked + 0.3, process)
        kill(served.pid)
        _, complaint = process.communicate(timeout=60)
    assert b"/export" not in log.read_bytes()[asked:], "the export was over before the server was killed"
    assert process.returncode == 2 and "Traceback" not in complaint
    assert list(output.parent.iterdir()) == [], "half a pull was left"

    served = servers.start(served.folder, environment=environment)
    with begin(served, "pull", output) as process:
        _, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint
    found = list(read_records(output))
    assert sorted(record["id"] for record in found) == [f"{n:016x}" for n in range(COUNT)]
    assert {r["id"] for r in found if r["answers"]} == set(answered)
    assert all(len(r["answers"]) <= 1 for r in found)
    check_whole(served, path)
