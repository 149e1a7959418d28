"""The private Ray cluster; tests/test_silence.py checks that it contacts nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pizhu.annotate.run import ray_here as here
from pizhu.base.silence import NOWHERE

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One who has set nothing up."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back
        monkeypatch.delenv(name)


def test_only_its_processes_know_the_token() -> None:
    here._give_token()
    token = os.environ["RAY_AUTH_TOKEN"]
    assert len(token) == 64 and set(token) <= set("0123456789abcdef")
    here._give_token()
    assert os.environ["RAY_AUTH_TOKEN"] == token, "Ray's threads still ask for the first"


def test_a_token_of_the_user_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").touch()
    here._give_token()
    assert "RAY_AUTH_TOKEN" not in os.environ
    monkeypatch.setenv("RAY_AUTH_TOKEN", "mine")
    here._give_token()
    assert os.environ["RAY_AUTH_TOKEN"] == "mine"


def test_proxies_of_the_user_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with here._apart():
        assert NOWHERE.items() <= os.environ.items()
    assert os.environ["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert "NO_PROXY" not in os.environ


def test_logs_are_left_where_the_block_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(ray, "init", lambda **options: Path(options["_temp_dir"], "log").touch())
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with here.ray_here(1):
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0 or os.name == "nt"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError), here.ray_here(1):
        raise ValueError
    assert [path.name for path in tmp_path.glob("*/*")] == ["log"]
