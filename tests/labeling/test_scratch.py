"""A killed backup leaves copies behind; the next backup, or the next start, removes them."""

import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from pizhu.base.errors import LabelingError
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.backup import backup, restore
from pizhu.labeling.server.scratch import clear, scratch

from .test_archive import begin

# `pizhu label backup` or `restore` that kills itself as it calls `name` for the `count`-th time.
KILLED = """
import os, pathlib, signal, sys, zipfile
name, count, *command = sys.argv[1:]
place = {"fsync": os, "rename": pathlib.Path, "writestr": zipfile.ZipFile, "open": zipfile.ZipFile}[name]
real, left = getattr(place, name), int(count)
def counted(*arguments, **more):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **more)
setattr(place, name, counted)
from pizhu.cli import app
app(["label", *command])
"""

killing = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return begin(tmp_path / "服务器")


def killed(name: str, count: int, *words: str | Path) -> None:
    command = [sys.executable, "-c", KILLED, name, str(count), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr


def left_in(place: Path) -> list[str]:
    return [path.name for path in place.iterdir() if path.name.startswith(".")]


@killing
@pytest.mark.parametrize(("name", "count"), [("open", 1), ("open", 3), ("writestr", 1), ("fsync", 1), ("rename", 1)])
def test_killed_backups(folder: Path, tmp_path: Path, name: str, count: int) -> None:
    out = tmp_path / "备份"
    killed(name, count, "backup", "--folder", folder, "--out", out)
    assert len(left_in(out)) == 2, "a folder and its lock"
    if os.name == "posix":
        assert all((out / name).stat().st_mode & 0o077 == 0 for name in left_in(out) if not name.endswith(".lock"))
    made = backup(folder, out, keep=1)
    assert list(out.iterdir()) == [made.path]
    with zipfile.ZipFile(made.path) as whole:
        assert whole.testzip() is None


@killing
def test_killed_restores(folder: Path, tmp_path: Path) -> None:
    made = backup(folder, tmp_path / "备份").path
    place = tmp_path / "别处"
    place.mkdir()
    killed("open", 3, "restore", made, "--folder", place / "新")
    assert len(left_in(place)) == 2 and not (place / "新").exists()
    restore(made, place / "新")
    assert [path.name for path in place.iterdir()] == ["新"]


@killing
def test_a_start_takes_them_away_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed("fsync", 1, "backup", "--folder", folder)
    assert left_in(folder / "backups")

    def no_label_studio(*_: object) -> Path:
        raise LabelingError("not installed")

    monkeypatch.setattr(servers, "ensure_environment", no_label_studio)
    with pytest.raises(LabelingError, match="not installed"):
        servers.start(folder)
    assert not left_in(folder / "backups")


def test_what_an_earlier_pizhu_left(folder: Path, tmp_path: Path) -> None:
    """And nothing that only looks like it."""
    out = tmp_path / "备份"
    out.mkdir()
    (out / ".pizhu-label-abc_1234").mkdir()
    (out / ".pizhu-label-abc_1234" / "database").write_bytes(b"x")
    (out / ".pizhu-label-20260501T120000Z.zip.k2_x8a1b.part").write_bytes(b"x")
    others = {".pizhu-label", ".pizhu-label-notes.txt", ".pizhu-label-20260501T120000Z.zip.part", "a.part"}
    for name in others:
        (out / name).write_bytes(b"x")
    (tmp_path / "远处").mkdir()
    (out / ".pizhu-label-aaaaaaaa").symlink_to(tmp_path / "远处")
    made = backup(folder, out)
    assert {path.name for path in out.iterdir()} == {made.path.name, ".pizhu-label-aaaaaaaa", *others}
    assert (tmp_path / "远处").is_dir()


def test_what_somebody_works_in_stays(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "备份"
    at_work, go_on = threading.Event(), threading.Event()

    def wait(what: str, done: float, total: float | None = None, /) -> None:
        at_work.set()
        assert go_on.wait(60)

    made = []
    first = threading.Thread(target=lambda: made.append(backup(folder, out, progress=wait)))
    first.start()
    assert at_work.wait(60)
    clear(out)
    with scratch(out):
        assert len(left_in(out)) == 4
    go_on.set()
    first.join()
    assert list(out.iterdir()) == [made[0].path]
    with zipfile.ZipFile(made[0].path) as whole:
        assert whole.testzip() is None


def test_it_goes_with_its_block(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        (folder / "x").mkdir()
        if os.name == "posix":
            assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(KeyboardInterrupt), scratch(tmp_path):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
