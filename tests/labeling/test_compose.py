"""compose.yaml starts the same as the command line: its command runs here, on PostgreSQL without containers."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from pizhu.base.network import free_port
from pizhu.base.silence import DEFAULTS, SWITCHES
from pizhu.cli import app
from pizhu.labeling.server import server as servers
from pizhu.labeling.server import venv
from pizhu.labeling.server.database import database_of, forget
from pizhu.labeling.server.env import OFFICE
from pizhu.labeling.server.postgresql import PASSWORD_VARIABLE, PostgreSQL
from typer.main import get_command

from .conftest import NewServer
from .test_serve import log_in, sign_up

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert set(compose["volumes"]) == {"database", "label-studio"}
    services: dict[str, Any] = compose["services"]
    return services


def options(words: list[str]) -> dict[str, str]:
    return dict(word.removeprefix("--").partition("=")[::2] for word in words if word.startswith("--"))


def test_only_this_machine_reaches_it(services: dict[str, Any]) -> None:
    assert {name: service.get("ports") for name, service in services.items()} == {
        "database": None,
        "label-studio": ["${PIZHU_LABEL_BIND:-127.0.0.1}:8080:8080"],
        "predict": None,
    }


def test_nothing_in_it_reports_to_its_maker(services: dict[str, Any]) -> None:
    switches = {**SWITCHES, **DEFAULTS}
    for name in ("label-studio", "predict"):
        assert switches.items() <= services[name]["environment"].items()
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert " ".join(f"{name}={value}" for name, value in switches.items()) in dockerfile


def test_no_secret_stands_in_it(services: dict[str, Any]) -> None:
    needed = f"${{{PASSWORD_VARIABLE}:?write it into .env, see compose.yaml}}"
    assert services["database"]["environment"]["POSTGRES_PASSWORD"] == needed
    assert services["label-studio"]["environment"][PASSWORD_VARIABLE] == needed
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"(?i)(?:password|token|secret)\w*:(?! \$\{|\?)", text)


def test_the_database_is_the_one_that_is_served(services: dict[str, Any]) -> None:
    given = options(services["label-studio"]["command"])
    postgres = services["database"]["environment"]
    assert given["database"] == f"postgresql://{postgres['POSTGRES_USER']}@database:5432/{postgres['POSTGRES_DB']}"
    # pg_dump of the image's Debian release must not be older than the database.
    assert services["database"]["image"] == "postgres:15-bookworm"
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "FROM python:3.11-slim-bookworm" in dockerfile and "postgresql-client" in dockerfile
    assert "--install-only" in dockerfile and venv.ENVIRONMENT_VARIABLE in dockerfile


@pytest.mark.parametrize("service", ["label-studio", "predict"])
def test_its_commands_have_the_options_given(services: dict[str, Any], service: str) -> None:
    command = services[service]["command"]
    words = command if service == "label-studio" else shlex.split(command[0].partition("exec pizhu ")[2])
    group = get_command(app).commands["label"]  # type: ignore[attr-defined]
    known = {name for parameter in group.commands[words[1]].params for name in parameter.opts}
    assert {word.partition("=")[0] for word in words[2:]} <= known


@pytest.mark.server
@pytest.mark.postgres
def test_its_command_serves(
    services: dict[str, Any],
    environment: Path,
    new_postgresql_server: NewServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = new_postgresql_server(tmp_path / "data")
    database = database_of(folder)
    assert isinstance(database, PostgreSQL)
    forget(folder)  # as in a container, the command alone says where the database is
    port = free_port("0.0.0.0", None)
    instead = {
        "folder": str(folder),
        "port": str(port),
        "database": database.address,
        "public-url": f"http://127.0.0.1:{port}",
    }
    given = services["label-studio"]["command"]
    words = [f"--{name}={instead[name]}" if (name := word[2:].partition("=")[0]) in instead else word for word in given]
    assert sum(ours != theirs for ours, theirs in zip(words, given, strict=True)) == len(instead)
    monkeypatch.setenv(PASSWORD_VARIABLE, database.password)
    monkeypatch.setenv(venv.ENVIRONMENT_VARIABLE, str(environment))
    command = [sys.executable, "-c", "from pizhu.cli import main; main()", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout and "runs at" in process.stdout.readline()
            server = servers.running(folder)
            assert server is not None and server.shared == instead["public-url"]
            account = server.accounts.annotators["甲"]
            assert log_in(server.shared, account.email, account.password) == "甲"
            assert sign_up(server.shared) == 403
            # What the code sets is what reaches Label Studio, and no secret is in any process's arguments.
            label_studio = psutil.Process(server.pid)
            assert OFFICE.items() <= label_studio.environ().items()
            assert not any(database.password in word for word in [*label_studio.cmdline(), *command])
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
            servers.stop(folder)
