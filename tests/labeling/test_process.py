"""A server's process is recognised by how it was started, whatever the clock says; a second one is refused."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
from pizhu.base.errors import LabelingError
from pizhu.base.private import write_private
from pizhu.labeling.server import process
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.env import identity, inherited
from pizhu.labeling.server.server import Server

Launch = Callable[[Mapping[str, str]], int]
TOKEN = "a-token-of-the-tests"


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts a process that does nothing with the variables given; each holds a lock of its own, ``0.lock`` first."""
    started: list[int] = []

    def start(variables: Mapping[str, str]) -> int:
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        with process.claim(tmp_path / f"{len(started)}.lock") as held:
            started.append(process.launch(command, {**inherited(), **variables}, tmp_path, tmp_path / "log", held))
        return started[-1]

    yield start
    for pid in started:
        if psutil.pid_exists(pid):
            process.end(pid)


def note(server: Server, **more: object) -> None:
    """Write down that the server runs, as a start does."""
    Path(server.folder).mkdir(exist_ok=True)
    write_private(Path(server.folder) / "server.json", json.dumps(asdict(server) | more))


@pytest.fixture
def server(tmp_path: Path, launch: Launch) -> Server:
    """One that runs, as far as can be told from outside."""
    folder = tmp_path / "服务器"
    server = Server("http://127.0.0.1:9", launch(identity(folder, TOKEN)), str(folder), TOKEN)
    note(server)
    return server


@pytest.mark.parametrize("hours", [-5, -0.003, 0.003, 5, 24 * 365])
def test_a_clock_that_was_set_changes_nothing(server: Server, monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    born, now = psutil.Process.create_time, time.time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: born(self) + 3600 * hours)
    monkeypatch.setattr(time, "time", lambda: now() + 3600 * hours)
    assert servers.running(server.folder) == server
    with pytest.raises(LabelingError, match=r"already runs on .*; stop it to change the port"):
        servers.start(server.folder, port=1)
    assert servers.stop(server.folder) and not psutil.pid_exists(server.pid)
    assert servers.running(server.folder) is None and not servers.stop(server.folder)


def test_one_that_an_earlier_pizhu_started_is_known(server: Server) -> None:
    note(server, started=5.0)
    assert servers.running(server.folder) == server


@pytest.mark.parametrize("other", ["nothing", "another token", "another folder"])
def test_a_later_process_of_the_same_number_is_not_ours(server: Server, launch: Launch, other: str) -> None:
    variables = {
        "nothing": {},
        "another token": identity(Path(server.folder), "another-token"),
        "another folder": identity(Path(server.folder).parent, TOKEN),
    }
    pid = launch(variables[other])
    note(server, pid=pid)
    assert servers.running(server.folder) is None
    assert not servers.stop(server.folder) and psutil.pid_exists(pid)


def test_a_copy_of_its_folder_has_no_server(server: Server, tmp_path: Path) -> None:
    shutil.copytree(server.folder, tmp_path / "副本")
    assert servers.running(tmp_path / "副本") is None and servers.running(server.folder) == server


def test_it_is_known_through_a_link(server: Server, tmp_path: Path) -> None:
    (tmp_path / "链接").symlink_to(server.folder)
    assert servers.running(tmp_path / "链接") == server


@pytest.mark.skipif(sys.platform == "win32", reason="locks cannot be handed on there")
def test_it_holds_its_lock_until_its_end(launch: Launch, tmp_path: Path) -> None:
    pid = launch({})
    with pytest.raises(BlockingIOError), process.claim(tmp_path / "0.lock"):
        pass
    psutil.Process(pid).kill()
    process.end(pid)
    with process.claim(tmp_path / "0.lock"):
        pass


def test_no_two_start_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one start beside a server whose server.json is lost; nothing of the folder is touched."""
    monkeypatch.setattr(servers, "ensure_environment", lambda *_: tmp_path / "label-studio")
    with (
        process.claim(tmp_path / "server.lock"),
        pytest.raises(LabelingError, match=r"is already starting or running on .* does not say where"),
    ):
        servers.start(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["server.lock"]


@pytest.mark.parametrize("text", ["", "[1]", "null", "[" * 100_000, '{"a": 1}', '[{"name": ["x"]}]', "1" * 5000])
@pytest.mark.parametrize("name", ["server.json", "accounts.json", "database.json"])
def test_spoilt_files_are_told(server: Server, name: str, text: str) -> None:
    write_private(Path(server.folder) / name, text)
    with pytest.raises(LabelingError, match=r"is damaged|is not an accounts file"):
        assert servers.running(server.folder) and server.accounts.path and server.database.address


@pytest.mark.parametrize("pid", [10**30, 2**31, 0, -1])
def test_numbers_that_no_process_has(server: Server, pid: int) -> None:
    note(server, pid=pid)
    assert servers.running(server.folder) is None and not servers.stop(server.folder)
