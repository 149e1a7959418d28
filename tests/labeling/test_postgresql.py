"""PostgreSQL by setting: valid addresses, the sources of the password, the arguments of its programs."""

import os
import stat
from pathlib import Path

import pytest
from pizhu.base.errors import LabelingError
from pizhu.cli import app
from pizhu.labeling.server.database import database_of, forget, remember
from pizhu.labeling.server.postgresql import PASSWORD_VARIABLE, PostgreSQL, find_postgresql
from typer.testing import CliRunner

SECRET = "it's a:s\\ecret 密"


@pytest.fixture(autouse=True)
def no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_postgresql(None) is None
    found = find_postgresql("postgresql://biao@db.office.example/标注")
    assert found == PostgreSQL("biao", "db.office.example", 5432, "标注")
    assert found.address == "postgresql://biao@db.office.example:5432/标注"
    monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    found = find_postgresql("postgresql://biao@127.0.0.1:6000/a")
    assert found is not None and found.password == found.variables["POSTGRE_PASSWORD"] == SECRET
    assert SECRET not in repr(found) + found.address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "u@h/n",
        "mysql://u@h/n",
        "postgresql://h/n",
        "postgresql://u@/n",
        "postgresql://u@h",
        "postgresql://u@h:x/n",
        "postgresql://u@h/n?host=/tmp",
        "postgresql://u@h/a=b",
        "postgresql://u@h/-n",
        "postgresql://u@h/n/m",
    ],
)
def test_bad_addresses(address: str) -> None:
    with pytest.raises(LabelingError, match="must look like postgresql://user@"):
        find_postgresql(address)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    result = CliRunner().invoke(app, ["label", "serve", "--database", "postgresql://u:hush-hush@h/n"])
    assert isinstance(result.exception, LabelingError) and "must not hold a password" in str(result.exception)
    assert "hush" not in str(result.exception) + result.output


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_password_files(tmp_path: Path) -> None:
    file = tmp_path / "密码"
    file.write_text(SECRET + "\n", encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(LabelingError, match="chmod 600"):
        find_postgresql("postgresql://u@h/n", file)
    file.chmod(0o600)
    found = find_postgresql("postgresql://u@h/n", file)
    assert found is not None and found.password == SECRET
    with pytest.raises(LabelingError, match="--database-password-file needs --database"):
        find_postgresql(None, file)
    file.write_text("two\nlines", encoding="utf-8")
    with pytest.raises(LabelingError, match="one line"):
        find_postgresql("postgresql://u@h/n", file)


def test_a_folder_remembers_its_database(tmp_path: Path) -> None:
    one = PostgreSQL("u", "h", 5432, "one", SECRET)
    assert database_of(tmp_path).kind == "sqlite"
    remember(tmp_path, database_of(tmp_path))
    assert list(tmp_path.iterdir()) == [], "SQLite is remembered by its file"
    remember(tmp_path, one)
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "database.json").stat().st_mode) == 0o600
    assert database_of(tmp_path) == one
    assert database_of(tmp_path, PostgreSQL("u", "h", 5432, "one")) == one
    renewed = PostgreSQL("u", "h", 5432, "one", "renewed")
    assert database_of(tmp_path, renewed) == renewed
    with pytest.raises(
        LabelingError, match=r"uses the database postgresql://u@h:5432/one, not postgresql://u@h:5432/two"
    ):
        database_of(tmp_path, PostgreSQL("u", "h", 5432, "two"))
    forget(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "label_studio.sqlite3").touch()
    with pytest.raises(LabelingError, match="uses the database SQLite, not postgresql://u@h:5432/one"):
        database_of(tmp_path, one)


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n" + script, encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="the stand-ins are shell scripts")
def test_what_the_programs_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = PostgreSQL("u", "h", 5432, "n", SECRET)
    programs = tmp_path / "bin"
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(LabelingError, match=r"pg_dump is not installed.*apt install postgresql-client"):
        database.dump(tmp_path / "dump")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("PGHOST", "elsewhere")
    program(
        programs, "pg_dump", f'echo "$@" >{tmp_path}/told; env >>{tmp_path}/told; cat "$PGPASSFILE" >{tmp_path}/pass'
    )
    database.dump(tmp_path / "dump")
    told = (tmp_path / "told").read_text(encoding="utf-8")
    assert "--format=custom" in told and "--no-password" in told and "--dbname=n" in told
    assert SECRET not in told and "elsewhere" not in told
    assert (tmp_path / "pass").read_text(encoding="utf-8") == "*:*:*:*:it's a\\:s\\\\ecret 密\n"
    mismatch = "pg_dump: error: aborting because of server version mismatch"
    program(programs, "pg_dump", f"echo '{mismatch}' >&2; exit 1")
    with pytest.raises(LabelingError, match="pg_dump is older than PostgreSQL at postgresql://u@h:5432/n"):
        database.dump(tmp_path / "dump")
