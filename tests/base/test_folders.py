"""A killed writer leaves the old folder or the new one, complete, and nothing else."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pizhu.base import folders
from pizhu.base.folders import building, reserved, restore

WAYS = ["exchange", "rename"]

WRITER = """
import os, signal, sys
from pathlib import Path
from pizhu.base import folders

folder, way, wanted = Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3])
count = 0

def strike(what):
    global count
    count += 1
    if count == wanted:
        print(what, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, words):
    path = os.fspath(words[0]) if words and isinstance(words[0], (str, Path)) else ""
    changes = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")
    changes |= event == "open" and bool(words[2] & (os.O_WRONLY | os.O_RDWR))
    if changes and path.startswith(str(folder.parent)):
        strike(event)

real = folders._exchanged

def exchanged(one, other):
    strike("before the exchange")
    done = way == "exchange" and real(one, other)
    strike("after the exchange")
    return done

folders._exchanged = exchanged
with folders.reserved(folder):
    sys.addaudithook(hook)
    with folders.building(folder) as beside:
        (beside / "a").write_text("new", encoding="utf-8")
        (beside / "b").write_text("new", encoding="utf-8")
"""


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


OLD, NEW = {"a": "old", "c": "old"}, {"a": "new", "b": "new"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "模 型.v2"
    found.mkdir()
    for name in OLD:
        (found / name).write_text("old", encoding="utf-8")
    return found


def kills(folder: Path, way: str) -> Iterator[str]:
    """Kill a writer of ``folder`` at one moment after the other; where it was."""
    for number in range(1, 100):
        words = [sys.executable, "-c", WRITER, str(folder), way, str(number)]
        ended = subprocess.run(words, stdout=subprocess.PIPE, encoding="utf-8", timeout=60)
        if ended.returncode == 0:
            assert contents(folder) == NEW and [p.name for p in folder.parent.iterdir()] == [folder.name]
            return
        assert ended.returncode == -signal.SIGKILL
        yield ended.stdout.strip()
    pytest.fail("it never came through")


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
@pytest.mark.parametrize("way", WAYS)
def test_killed_anywhere(folder: Path, way: str) -> None:
    if way == "exchange" and not can_exchange(folder.parent):
        pytest.skip("this file system cannot exchange two folders")
    seen = set()
    gaps = 0
    for at in kills(folder, way):
        seen.add(at)
        if not folder.exists():
            gaps += 1
            restore(folder)  # as who reads it does
        assert contents(folder) in (OLD, NEW), at
        with reserved(folder):  # as the next that writes it does
            assert contents(folder) in (OLD, NEW), at
            left = {p.name for p in folder.parent.iterdir()}
            assert left == {folder.name, f".{folder.name}.lock"}, at
        with building(folder) as beside:
            for name in OLD:
                (beside / name).write_text("old", encoding="utf-8")
    assert {"os.mkdir", "open", "before the exchange", "after the exchange"} <= seen
    assert gaps == (0 if way == "exchange" else 1)  # a swap leaves no moment without a folder


def can_exchange(place: Path) -> bool:
    one, other = place / ".one", place / ".other"
    one.mkdir()
    other.mkdir()
    try:
        return folders._exchanged(one, other)
    finally:
        one.rmdir()
        other.rmdir()


@pytest.mark.skipif(sys.platform != "linux", reason="a system call of Linux")
def test_a_system_without_the_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        def __init__(self, *_: object, **__: object) -> None: ...

    monkeypatch.setattr(ctypes, "CDLL", Library)
    with building(folder) as beside:
        (beside / "a").write_text("new", encoding="utf-8")
    assert contents(folder) == {"a": "new"}
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_a_failure_leaves_the_old_one(folder: Path) -> None:
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), building(folder) as beside:
            (beside / "a").write_text("new", encoding="utf-8")
            raise error
        assert contents(folder) == OLD
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_one_that_was_not_there(tmp_path: Path) -> None:
    with building(tmp_path / "a" / "b") as beside:
        (beside / "x").write_text("new", encoding="utf-8")
    assert contents(tmp_path / "a" / "b") == {"x": "new"}
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_what_killed_writers_left(tmp_path: Path) -> None:
    """By whatever process, and only of this folder."""
    folder = tmp_path / "m"
    for name in (".m.1.part", ".m.22.part", ".m.3.old", ".m.v2.4.old", ".mm.5.part", ".m.x.part"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("", encoding="utf-8")
    (tmp_path / ".m.6.part").write_text("a file", encoding="utf-8")
    with reserved(folder):
        assert contents(folder) == {".m.3.old": ""}
    assert sorted(p.name for p in tmp_path.iterdir()) == [".m.6.part", ".m.v2.4.old", ".m.x.part", ".mm.5.part", "m"]


HOLDER = """
import sys
from pathlib import Path
from pizhu.base.folders import reserved

with reserved(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_at_once(folder: Path) -> None:
    words = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError), reserved(folder):
            pass
        threading.Timer(0.3, holder.kill).start()
        with reserved(folder, patience=60):
            assert holder.wait() != 0
    assert contents(folder) == OLD and [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_a_place_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside = folder.rename(folder.with_name(f".{folder.name}.7.old"))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folders, "locked", refuse)
    restore(folder)
    assert not folder.exists() and contents(aside) == OLD


def test_a_reader_waits_for_a_writer_that_lives(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two renames the reader brings nothing back: the writer is about to."""
    aside = folder.with_name(f".{folder.name}.7.old")
    with reserved(folder):
        folder.rename(aside)
        other = threading.Timer(0.1, lambda: aside.rename(folder))
        other.start()
        begun = time.monotonic()
        restore(folder)
        other.join()
        assert folder.exists() and time.monotonic() > begun
