"""Temporary folders are removed with their process, or by the next one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pizhu.base.scratch import scratch, sweep

USER = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from pizhu.base.scratch import scratch

with scratch() as folder:
    (folder / "report").write_text("x", encoding="utf-8")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_private_and_vanishes(place: Path) -> None:
    with pytest.raises(KeyError), scratch() as folder:
        if sys.platform != "win32":
            assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "a").mkdir()
        raise KeyError
    assert not list(place.iterdir())


def test_killed_ones_are_swept_and_living_ones_not(place: Path) -> None:
    words = [sys.executable, "-c", USER, str(place)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as user:
        assert user.stdout is not None
        folder = Path(user.stdout.readline().strip())
        with scratch() as own:
            sweep()
            assert (folder / "report").exists() and own.exists()
        user.kill()
    assert (folder / "report").exists()
    sweep()
    assert not list(place.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_what_others_put_there_is_let_be(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    victim = tmp_path_factory.mktemp("victim")
    (victim / "a").write_text("x", encoding="utf-8")
    (place / "pizhu-scratch-0.lock").symlink_to(victim / "a")
    (place / "pizhu-scratch-1.lock").symlink_to(victim / "none")
    (place / "pizhu-scratch-2.lock").mkdir()
    (place / "pizhu-scratch-3.lock").touch()
    (place / "pizhu-scratch-3").symlink_to(victim)
    (place / "pizhu-scratch-4").mkdir()
    sweep()
    assert [path.name for path in victim.iterdir()] == ["a"]
    assert {path.name for path in place.iterdir()} >= {f"pizhu-scratch-{n}.lock" for n in range(3)}
