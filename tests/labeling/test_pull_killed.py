"""A killed pull leaves the old output or the new one, complete, and the next pull is right."""

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pizhu.base.files import leftovers, write_records
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.project import find_project
from pizhu.labeling.studio.pull import pull
from pizhu.labeling.studio.snapshots import Snapshots
from pizhu.labeling.studio.tasks import result
from pizhu.labeling.studio.transfer import transfer

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]

# `pizhu label pull` that kills itself as it calls `name` for the `count`-th time, or just after; never if that is 0.
PULL = """
import gzip, os, pathlib, signal, sys
name, count, moment, *command = sys.argv[1:]
place = {"fsync": os, "replace": pathlib.Path, "write": gzip.GzipFile}[name]
real, left = getattr(place, name), int(count)
def counted(*arguments, **more):
    global left
    left -= 1
    if left == 0 and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = real(*arguments, **more)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
setattr(place, name, counted)
from pizhu.cli import app
app(["label", "pull", *command])
"""
COUNT = 400


class Scene:
    """A folder with an earlier pull, after which answers were changed and a task was deleted."""

    def __init__(self, server: Server, title: str, folder: Path) -> None:
        self.server, self.title, self.folder = server, title, folder
        self._trials = itertools.count()
        pull(server.access, folder / "old" / "答案.jsonl", title=title)
        self.old = (folder / "old" / "答案.jsonl").read_bytes()
        with connect(server.access) as client:
            project = find_project(client, title)
            assert project
            listed = list(client.tasks.list(project=project.id, fields="all", page_size=COUNT))
            for task in listed[:20]:
                client.annotations.update(id=task.annotations[0]["id"], result=result(["shortcoming"]))
            client.tasks.delete(id=listed[20].id)
        shutil.copytree(folder / "old", folder / "peace")
        pull(server.access, folder / "peace" / "答案.jsonl", title=title)
        self.new = (folder / "peace" / "答案.jsonl").read_bytes()
        assert self.new != self.old

    def output(self) -> Path:
        """An output as the earlier pull left it."""
        trial = self.folder / f"试 {next(self._trials)}"
        return Path(shutil.copytree(self.folder / "old", trial)) / "答案.jsonl"

    def start(self, output: Path, name: str = "fsync", count: int = 0, moment: str = "before") -> subprocess.Popen[str]:
        command = [str(output), "--project", self.title, "--folder", self.server.folder]
        return subprocess.Popen(
            [sys.executable, "-c", PULL, name, str(count), moment, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONUTF8": "1"},
        )

    def check(self, output: Path) -> bytes:
        """That what a killed pull left is whole and can be gone on from; returns it."""
        left = output.read_bytes()
        assert left in (self.old, self.new)
        pulled = pull(self.server.access, output, title=self.title)
        assert output.read_bytes() == self.new
        assert (pulled.full, pulled.kept) == (None, None)
        state = Snapshots(output).state()
        assert state and not state.damaged and len(Snapshots(output).history()) == 2
        assert not list(leftovers(output.parent))
        return left


@pytest.fixture(scope="module")
def scene(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("killed")
    rows = [
        {"id": f"{n:016x}", "doc": "总结.txt", "start": n, "end": n + 1, "text": f"第{n}段完成。"}
        | {"answers": [{"annotator": "甲", "labels": ["plan"], "at": "2026-01-01T00:00:00Z"}]}
        for n in range(COUNT)
    ]
    write_records(folder / "given.jsonl", rows)
    transfer(server.access, folder / "given.jsonl", title="拉取被杀")
    return Scene(server, "拉取被杀", folder)


WRITING = [
    ("write", 1, "before", False),
    ("write", 5, "after", False),
    ("fsync", 1, "before", False),
    ("replace", 1, "before", False),
    ("replace", 1, "after", False),
    ("fsync", 2, "before", False),
    ("replace", 2, "before", False),
    ("replace", 2, "after", True),
]


@pytest.mark.parametrize(("name", "count", "moment", "written"), WRITING)
def test_killed_while_writing(scene: Scene, name: str, count: int, moment: str, written: bool) -> None:
    output = scene.output()
    process = scene.start(output, name, count, moment)
    told, _ = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, told
    assert scene.check(output) == (scene.new if written else scene.old)


def test_killed_at_any_moment(scene: Scene) -> None:
    begun = time.monotonic()
    process = scene.start(scene.output())
    assert "deleted in Label Studio" in process.communicate(timeout=120)[0]
    whole = time.monotonic() - begun
    chance = random.Random(7)
    killed = 0
    for _ in range(6):
        output = scene.output()
        process = scene.start(output)
        time.sleep(chance.uniform(0.3, 1) * whole)
        process.kill()
        process.communicate(timeout=120)
        killed += process.returncode == -signal.SIGKILL
        scene.check(output)
    assert killed


def test_killed_at_the_first_pull(scene: Scene, server: Server, tmp_path: Path) -> None:
    """There is no old output then: none or the new one, and the next pull is a first one or goes on."""
    for count, moment in ((1, "before"), (1, "after"), (2, "before"), (2, "after")):
        output = tmp_path / f"{count} {moment}" / "答案.jsonl"
        process = scene.start(output, "replace", count, moment)
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
        assert output.exists() == (count == 2 and moment == "after")
        pulled = pull(server.access, output, title="拉取被杀")
        assert (pulled.full is None) == ((count, moment) != (1, "before"))
        peace = tmp_path / "peace.jsonl"
        pull(server.access, peace, title="拉取被杀")
        assert output.read_bytes() == peace.read_bytes()
