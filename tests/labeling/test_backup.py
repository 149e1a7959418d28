"""A backup taken while people work is complete; restoring it gives the same server."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pizhu.base.errors import LabelingError
from pizhu.base.files import read_records, write_records
from pizhu.cli import app
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.accounts import Accounts
from pizhu.labeling.server.backup import backup, restore
from pizhu.labeling.server.database import database_of, remember
from pizhu.labeling.server.postgresql import PostgreSQL
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.pull import pull
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.submit import submit
from typer.testing import CliRunner

from .conftest import NewServer, Records
from .test_serve import log_in

pytestmark = pytest.mark.server


@pytest.fixture
def served(environment: Path, any_new_server: NewServer, tmp_path: Path) -> Iterator[Server]:
    folder = any_new_server(tmp_path / "服务器 一")
    try:
        yield servers.start(folder, environment=environment)
    finally:
        servers.stop(folder)


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, served: Server) -> PostgreSQL | None:
    """Where to restore ``served`` to."""
    made: PostgreSQL | None = (
        request.getfixturevalue("cluster").create() if served.database.kind == "postgresql" else None
    )
    return made


def upload(server: Server, content: bytes) -> str:
    """A file into a project of its own, as a person uploads one; the path it is found under."""
    with connect(server.access) as client:
        project = client.projects.create(title="上传的文件").id
    with httpx.Client(
        base_url=server.url, trust_env=False, headers={"Authorization": f"Token {server.token}"}
    ) as browser:
        answer = browser.post(f"/api/projects/{project}/import", files={"file": ("材料.csv", content)}).json()
        [number] = answer["file_upload_ids"]
        return "/data/" + str(browser.get(f"/api/import/file-upload/{number}").json()["file"])


def download(server: Server, path: str) -> bytes:
    with httpx.Client(base_url=server.url, trust_env=False) as browser:
        return browser.get(path, headers={"Authorization": f"Token {server.token}"}).content


def test_there_and_back(
    served: Server, empty_database: PostgreSQL | None, environment: Path, records: Records, tmp_path: Path
) -> None:
    path = records(30, labels=["achievement"], scores={"achievement": 0.8}, model="第一版")
    push(served.access, [path], title="第一个项目")
    answers = tmp_path / "答案.jsonl"
    given = [{"annotator": "甲", "labels": ["plan"]}]
    write_records(answers, ({**record, "answers": given} for record in read_records(path)))
    submit(served.access, answers, {"甲": served.accounts.annotators["甲"].token}, title="第一个项目")
    pulled = pull(served.access, tmp_path / "前.jsonl", title="第一个项目")
    assert pulled.states == {"labelled": 30}
    other = push(served.access, [], title="正在推送的项目").project
    content = "text\n第一句。\n".encode()
    uploaded = upload(served, content)

    status = CliRunner().invoke(app, ["label", "status", "--folder", served.folder]).stdout
    assert f"pizhu label backup --folder '{served.folder}'" in status and "pizhu label restore BACKUP" in status

    # The backup is made in the middle of a push.
    more = records(3000, "更多.jsonl", labels=["plan"], model="第一版")
    pushing = threading.Thread(target=push, args=(served.access, [more]), kwargs={"title": "正在推送的项目"})
    pushing.start()
    with connect(served.access) as client:
        while client.projects.get(other).task_number < 2 and pushing.is_alive():
            pass
    made = backup(served.folder, tmp_path / "备份")
    assert pushing.is_alive(), "the push was over before the backup was made"
    pushing.join()
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "备份").iterdir()) == [made.path]

    folder = restore(made.path, tmp_path / "服务器 二", database=empty_database)
    try:
        again = servers.start(folder, environment=environment)
        assert again.database.kind == served.database.kind
        assert again.database.address != served.database.address or again.database.kind == "sqlite"
        pull(again.access, tmp_path / "后.jsonl", title="第一个项目")
        assert (tmp_path / "前.jsonl").read_bytes() == (tmp_path / "后.jsonl").read_bytes()
        assert download(again, uploaded) == download(served, uploaded) == content
        for name, account in served.accounts.annotators.items():
            assert log_in(again.url, account.email, account.password) == name
        # What was half pushed is whole as far as it goes, and the rest can follow.
        pushed = push(again.access, [more], title="正在推送的项目")
        assert pushed.present > 0 and pushed.sent > 0 and pushed.present + pushed.sent == 3000
        with connect(again.access) as client:
            tasks = list(client.tasks.list(project=other, fields="task_only", include="id,data", page_size=6000))
            predictions = list(client.predictions.list(project=other))
        assert len({task.data["id"] for task in tasks}) == len(tasks) == 3000
        assert sorted(prediction.task for prediction in predictions) == sorted(task.id for task in tasks)
    finally:
        servers.stop(folder)


def test_the_commands(request: pytest.FixtureRequest, any_new_server: NewServer, tmp_path: Path) -> None:
    """On servers that do not run."""
    old, out, new = any_new_server(tmp_path / "停"), tmp_path / "备份", tmp_path / "新"
    words = ["label", "backup", "--folder", str(old), "--out", str(out), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)
    assert made["size"] == Path(made["path"]).stat().st_size > 10_000
    words = ["label", "restore", made["path"], "--folder", str(new)]
    environ = {}
    if made["database"] == "postgresql":
        empty = request.getfixturevalue("cluster").create()
        environ = {"PIZHU_LABEL_DATABASE_PASSWORD": empty.password}
        words += ["--database", empty.address]
    restored = CliRunner().invoke(app, words, env=environ)
    assert restored.exit_code == 0, restored.stderr
    assert f"pizhu label serve --folder '{new}'" in restored.stdout
    assert (new / "accounts.json").read_bytes() == (old / "accounts.json").read_bytes()
    accounts = Accounts(new / "accounts.json")
    secrets = [secret for account in accounts.annotators.values() for secret in (account.password, account.token)]
    assert not any(secret in result.output + restored.output for secret in [*secrets, *environ.values()])


@pytest.mark.postgres
def test_a_database_in_use_is_left_alone(new_postgresql_server: NewServer, tmp_path: Path, environment: Path) -> None:
    folder = new_postgresql_server(tmp_path / "一")
    made = backup(folder)
    database = database_of(folder)
    assert isinstance(database, PostgreSQL)
    with pytest.raises(LabelingError, match="is not empty; create an empty database"):
        restore(made.path, tmp_path / "二", database=database)
    assert not (tmp_path / "二").exists()
    # Nor does another folder's server take it over, or this one move.
    with pytest.raises(LabelingError, match="is the database of another folder"):
        servers.start(tmp_path / "三", environment=environment, database=database)
    assert servers.running(tmp_path / "三") is None
    with pytest.raises(LabelingError, match=r"uses the database postgresql://.*, not postgresql://.*/other"):
        servers.start(folder, database=PostgreSQL("pizhu", "127.0.0.1", 5432, "other"))


@pytest.mark.postgres
def test_a_wrong_password_is_told_and_can_be_put_right(
    new_postgresql_server: NewServer, tmp_path: Path, environment: Path
) -> None:
    folder = new_postgresql_server(tmp_path / "一")
    database = database_of(folder)
    assert isinstance(database, PostgreSQL)
    wrong = replace(database, password="not-this-one")
    with pytest.raises(LabelingError, match="password authentication failed") as error:
        servers.start(tmp_path / "新", environment=environment, database=wrong)
    assert "not-this-one" not in str(error.value)
    assert not (tmp_path / "新" / "database.json").exists()
    remember(folder, wrong)
    with pytest.raises(LabelingError, match=r"pg_dump failed on .*password authentication failed") as error:
        backup(folder)
    assert "not-this-one" not in str(error.value)
    assert list((folder / "backups").iterdir()) == []
    remember(folder, database)
    assert backup(folder).database == "postgresql"
