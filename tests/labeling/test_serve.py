"""Label Studio on this machine: started ready to use, found again, stopped; no secret is visible to others."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from pizhu.base.errors import LabelingError
from pizhu.base.network import checked_origin, local_url, shared_url
from pizhu.cli import app
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.accounts import Account
from pizhu.labeling.server.env import OFFICE, variables
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.client import connect
from typer.testing import CliRunner


def fill_in(browser: httpx.Client, page: str, **form: str) -> int:
    """Send a form of Label Studio's, as a browser does; the status of the answer."""
    found = re.search(r'csrfmiddlewaretoken" value="([^"]+)', browser.get(page).text)
    token = {"csrfmiddlewaretoken": found[1]} if found else {}
    return browser.post(page, data=form | token, headers={"Referer": str(browser.base_url)}).status_code


def log_in(url: str, email: str, password: str) -> str | None:
    """The name of who has logged in through the form, or None."""
    with httpx.Client(base_url=url, trust_env=False) as browser:
        if fill_in(browser, "/user/login/", email=email, password=password) != 302:
            return None
        # Pages ask the address that they came from, whichever it was.
        assert 'hostname: ""' in browser.get("/projects/", follow_redirects=True).text
        return str(browser.get("/api/current-user/whoami").json()["first_name"])


def sign_up(url: str) -> int:
    """The status of what an uninvited person is answered."""
    with httpx.Client(base_url=url, trust_env=False) as browser:
        return fill_in(browser, "/user/signup/", email="x@y.cn", password="long-enough-1")


def test_a_taken_port_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LabelingError, match=f"port {port} of .* is taken"):
            servers.start(tmp_path / "folder", port=port)
    assert not (tmp_path / "folder").exists()


def test_nothing_runs_here(tmp_path: Path) -> None:
    assert servers.running(tmp_path) is None
    assert not servers.stop(tmp_path)
    result = CliRunner().invoke(app, ["label", "status", "--json", "--folder", str(tmp_path)])
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"running": False})


def test_the_server_inherits_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("SECRET_OF_MINE", "x")
    environ = variables(tmp_path, Account("owner", "o@p.local", "p", "t"), {}, None)
    assert not {"DEBUG", "SECRET_OF_MINE", "USERNAME"} & set(environ)
    assert OFFICE.items() <= environ.items()


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid", "::1"])
def test_an_address_of_another_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(LabelingError, match="is not an address of this machine"):
        servers.start(tmp_path / "folder", host=host)


@pytest.mark.parametrize(
    "url", ["label.office.example", "ftp://a", "https://a/path", "https://u:p@a", "http://a:b", "http://a,http://b", ""]
)
def test_public_addresses(url: str) -> None:
    with pytest.raises(LabelingError, match="public address must look like") as error:
        checked_origin(url)
    assert "u:p" not in str(error.value)
    assert checked_origin("https://label.office.example/") == "https://label.office.example"


def test_which_address_others_type() -> None:
    for host in ("127.0.0.1", "127.0.0.2", "localhost"):
        assert (local_url(host, 80), shared_url(host, 80)) == (f"http://{host}:80", None)
    assert shared_url("10.0.0.5", 8080) == local_url("10.0.0.5", 8080) == "http://10.0.0.5:8080"
    assert local_url("0.0.0.0", 8080) == "http://127.0.0.1:8080"
    assert shared_url("0.0.0.0", 8080) not in (None, "http://0.0.0.0:8080", "http://127.0.0.1:8080")


@pytest.mark.server
def test_annotators_can_log_in(server: Server) -> None:
    people = {name: server.accounts.annotators[name] for name in ("甲", "乙")}
    assert [account.email for account in people.values()] == ["annotator1@pizhu.local", "yi@office.example"]
    for name, account in people.items():
        assert log_in(server.url, account.email, account.password) == name
        assert log_in(server.url, account.email, "wrong-" + account.password) is None
        with connect(Access(server.url, account.token)) as client:
            assert client.users.whoami().email == account.email


@pytest.mark.server
def test_nobody_signs_up_uninvited(server: Server) -> None:
    assert sign_up(server.url) == 403


@pytest.mark.server
def test_starting_again_finds_it_and_adds_people(server: Server) -> None:
    again = servers.start(server.folder, annotators=[("甲", None), ("新来的", None)])
    assert (again.pid, again.url) == (server.pid, server.url)
    assert {"甲", "乙", "新来的"} <= set(again.accounts.annotators)
    with pytest.raises(LabelingError, match="already runs"):
        servers.start(server.folder, port=1)
    with pytest.raises(LabelingError, match="already has the account"):
        servers.start(server.folder, annotators=[("甲", "other@office.example")])


@pytest.mark.server
@pytest.mark.skipif(os.name != "posix", reason="locks cannot be handed on there")
def test_no_second_one_starts_on_the_same_data(server: Server, environment: Path) -> None:
    """Even where nothing tells of the first."""
    state = Path(server.folder) / "server.json"
    state.rename(state.with_suffix(".lost"))
    try:
        with pytest.raises(LabelingError, match="is already starting or running on"):
            servers.start(server.folder, environment=environment)
        assert not state.exists()
    finally:
        state.with_suffix(".lost").rename(state)
    assert servers.running(server.folder) == server and servers.healthy(server.url)


@pytest.mark.server
@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_secrets_are_private(server: Server) -> None:
    folder = Path(server.folder)
    for name in ("server.json", "accounts.json", "server.log"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600, name
    assert folder.stat().st_mode & 0o077 == 0
    log = (folder / "server.log").read_text(encoding="utf-8")
    accounts = [server.accounts.owner, *server.accounts.annotators.values()]
    assert not any(secret in log for account in accounts for secret in (account.token, account.password))


@pytest.mark.server
def test_status(server: Server) -> None:
    result = CliRunner().invoke(app, ["label", "status", "--folder", server.folder])
    assert result.exit_code == 0 and server.url in result.stdout and "甲" in result.stdout
    result = CliRunner().invoke(app, ["label", "status", "--json", "--folder", server.folder])
    found = json.loads(result.stdout)
    assert found["healthy"] and found["url"] == server.url
    assert server.token not in result.stdout


@pytest.mark.server
def test_colleagues_can_log_in_at_the_address_that_is_printed(
    environment: Path, new_server: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = new_server(tmp_path / "共用")
    words = ["label", "serve", "--folder", str(folder), "--environment", str(environment), "--host", "0.0.0.0"]
    try:
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.stderr
        assert all(part in result.stderr for part in ("no roles", "unencrypted", "log-in page"))
        server = servers.running(folder)
        assert server is not None and server.shared is not None and server.shared in result.stdout
        assert server.url.startswith("http://127.0.0.1:") and "0.0.0.0" not in server.shared
        account = server.accounts.annotators["乙"]
        for url in (server.url, server.shared):
            assert log_in(url, account.email, account.password) == "乙"
            assert sign_up(url) == 403
        warned = CliRunner().invoke(app, ["label", "status", "--folder", str(folder)])
        assert "no roles" in warned.stderr
        with pytest.raises(LabelingError, match="stop it to change the address"):
            servers.start(folder, host="127.0.0.1")
    finally:
        servers.stop(folder)


@pytest.mark.server
def test_behind_a_proxy(environment: Path, new_server: Callable[[Path], Path], tmp_path: Path) -> None:
    """A browser says where a form came from; only the public address is believed."""
    folder = new_server(tmp_path / "代理")
    try:
        server = servers.start(folder, environment=environment, public_url="https://label.office.example/")
        assert server.shared == "https://label.office.example"
        assert servers.start(folder, public_url="https://label.office.example") == server
        with pytest.raises(LabelingError, match="stop it to change the public address"):
            servers.start(folder, public_url="https://other.example")
        account = server.accounts.annotators["乙"]
        for origin, status in ((server.shared, 302), ("https://evil.example", 403)):
            with httpx.Client(base_url=server.url, trust_env=False) as browser:
                found = re.search(r'csrfmiddlewaretoken" value="([^"]+)', browser.get("/user/login/").text)
                assert found
                form = {"email": account.email, "password": account.password, "csrfmiddlewaretoken": found[1]}
                assert browser.post("/user/login/", data=form, headers={"Origin": origin}).status_code == status
    finally:
        servers.stop(folder)


@pytest.mark.server
def test_foreground_ends_in_good_order(environment: Path, server: Server, tmp_path: Path) -> None:
    """On a copy of the data, so that no database has to be made."""
    import shutil
    import signal

    shutil.copytree(Path(server.folder) / "data", tmp_path / "data")
    shutil.copy2(Path(server.folder) / "accounts.json", tmp_path)
    command = [sys.executable, "-c", "from pizhu.cli import main; main()", "label", "serve", "--foreground"]
    command += ["--folder", str(tmp_path), "--environment", str(environment)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout and "runs at" in process.stdout.readline()
            copy = servers.running(tmp_path)
            assert copy is not None and copy.url != server.url and servers.healthy(copy.url)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            servers.stop(tmp_path)
    assert not servers.healthy(copy.url)
    assert servers.healthy(server.url)
