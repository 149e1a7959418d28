"""Damaged, foreign or hostile backups change nothing; only pizhu's own old backups are removed."""

import json
import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import LabelingError
from pizhu.labeling.server import archive
from pizhu.labeling.server import backup as backups
from pizhu.labeling.server.accounts import Accounts
from pizhu.labeling.server.backup import backup, restore
from pizhu.labeling.server.postgresql import PostgreSQL


def begin(folder: Path) -> Path:
    """What a server leaves in its folder, as far as a backup needs to know."""
    (folder / "data" / "media" / "upload").mkdir(parents=True)
    assert Accounts(folder / "accounts.json").owner.password
    (folder / "data" / ".env").write_text("SECRET_KEY=x\n", encoding="utf-8")
    (folder / "data" / "media" / "upload" / "材 料.csv").write_bytes(os.urandom(3000))
    with closing(sqlite3.connect(folder / "data" / "label_studio.sqlite3")) as database, database:
        database.execute("CREATE TABLE task (text)")
        database.executemany("INSERT INTO task VALUES (?)", [(f"第{n}句。",) for n in range(500)])
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return begin(tmp_path / "服务器")


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every backup is made a second after the one before."""
    now = iter(range(10, 60))

    class Clock(backups.datetime):  # type: ignore[name-defined,misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2026, 5, 1, 12, 0, next(now), tzinfo=tz)

    monkeypatch.setattr(backups, "datetime", Clock)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def forged(path: Path, to: Path, change: Any) -> Path:
    """The backup with its manifest and members changed by ``change(manifest, members)``."""
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    manifest = json.loads(members.pop(archive.MANIFEST))
    change(manifest, members)
    with zipfile.ZipFile(to, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
        target.writestr(archive.MANIFEST, json.dumps(manifest))
    return to


def test_there_and_back(folder: Path, tmp_path: Path) -> None:
    made = backup(folder, tmp_path / "备份")
    back = restore(made.path, tmp_path / "新" / "服务器")
    found, old = contents(back), contents(folder)
    database = "data/label_studio.sqlite3"
    assert {name: found[name] for name in found if name != database} == {
        name: old[name] for name in old if name != database
    }
    with closing(sqlite3.connect(back / database)) as copy:
        assert copy.execute("SELECT count(*) FROM task").fetchone() == (500,)
    assert [path.name for path in back.parent.iterdir()] == ["服务器"]
    if os.name == "posix":
        assert back.stat().st_mode & 0o077 == 0
        assert (back / "accounts.json").stat().st_mode & 0o777 == 0o600


def test_manifest(folder: Path, tmp_path: Path) -> None:
    manifest = archive.read_manifest(backup(folder, tmp_path).path)
    assert {part["name"] for part in manifest["parts"]} == {
        "database",
        "accounts.json",
        "data/.env",
        "data/media/upload/材 料.csv",
    }
    assert (manifest["database"], manifest["label_studio"]) == ("sqlite", "1.23.2")
    owner = Accounts(folder / "accounts.json").owner
    assert owner.token not in json.dumps(manifest) and owner.password not in json.dumps(manifest)


def test_the_prediction_service_comes_along(folder: Path, tmp_path: Path) -> None:
    """Its trained models too, but neither its lock nor what a training works with."""
    kept = {"secret": b"a-secret-of-the-tests\n", "state.json": b"{}", "versions/2/model.safetensors": os.urandom(900)}
    left = {"lock": b"", "runs/3/answers.jsonl": b"{}\n"}
    for name, content in (kept | left).items():
        path = folder / "predict" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    back = restore(backup(folder, tmp_path / "备份").path, tmp_path / "新")
    assert contents(back / "predict") == kept


def test_nothing_is_overwritten(folder: Path, tmp_path: Path) -> None:
    made = backup(folder, tmp_path / "备份")
    before = contents(folder)
    with pytest.raises(LabelingError, match="is not empty"):
        restore(made.path, folder)
    assert contents(folder) == before


def test_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(LabelingError, match="no server's data"):
        backup(tmp_path / "没有")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.98])
def test_damage_is_noticed(folder: Path, tmp_path: Path, place: float) -> None:
    made = backup(folder, tmp_path / "备份")
    content = bytearray(made.path.read_bytes())
    position = int(place * len(content))
    content[position : position + 40] = bytes(byte ^ 0xFF for byte in content[position : position + 40])
    made.path.write_bytes(content)
    with pytest.raises(LabelingError, match=r"damaged|incomplete"):
        restore(made.path, tmp_path / "新")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["备份", "服务器"]


def test_half_a_backup_and_other_files(folder: Path, tmp_path: Path) -> None:
    made = backup(folder, tmp_path / "备份")
    made.path.write_bytes(made.path.read_bytes()[:-2000])
    with pytest.raises(LabelingError, match="is not a pizhu backup"):
        restore(made.path, tmp_path / "新")
    with pytest.raises(LabelingError, match="does not exist"):
        restore(tmp_path / "没有.zip", tmp_path / "新")
    with zipfile.ZipFile(made.path, "w") as other:
        other.writestr(archive.MANIFEST, "[]")
    with pytest.raises(LabelingError, match="is not a pizhu backup"):
        restore(made.path, tmp_path / "新")


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/tmp/evil",
        "data/../../evil",
        "data//evil",
        "data/./evil",
        "server.json",
        "database.json",
        "data/label_studio.sqlite3-wal",
        "data/Label_Studio.SQLite3",
        "backups/evil",
        "",
        "data/a\0b",
        7,
    ],
)
def test_members_lead_nowhere_else(folder: Path, tmp_path: Path, name: Any) -> None:
    def change(manifest: Any, members: Any) -> None:
        manifest["parts"].append(manifest["parts"][-1] | {"name": name})

    evil = forged(backup(folder, tmp_path / "备份").path, tmp_path / "备份" / "evil.zip", change)
    with pytest.raises(LabelingError):
        restore(evil, tmp_path / "里" / "新")
    assert not (tmp_path / "里" / "新").exists()
    assert not list(tmp_path.rglob("evil")) and not Path("/tmp/evil").exists()


def test_sums_are_checked(folder: Path, tmp_path: Path) -> None:
    def change(manifest: Any, members: Any) -> None:
        members["parts/1"] = members["parts/1"].replace(b"owner@pizhu.local", b"other@pizhu.local")

    evil = forged(backup(folder, tmp_path / "备份").path, tmp_path / "evil.zip", change)
    with pytest.raises(LabelingError, match="is damaged"):
        restore(evil, tmp_path / "新")
    assert not (tmp_path / "新").exists()


def repacked(path: Path, to: Path, method: int) -> Path:
    """The backup with every member packed by another method."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(to, "w", method) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return to


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_at_once(folder: Path, tmp_path: Path, method: int) -> None:
    evil = repacked(backup(folder, tmp_path / "备份").path, tmp_path / "evil.zip", method)
    with pytest.raises(LabelingError, match="is not a pizhu backup"):
        restore(evil, tmp_path / "新")
    # Where the manifest alone is packed as it should be.
    plain = forged(evil, tmp_path / "plain.zip", lambda *_: None)
    with zipfile.ZipFile(evil) as packed, zipfile.ZipFile(plain, "w", method) as target:
        for name in packed.namelist():
            kind = zipfile.ZIP_DEFLATED if name == archive.MANIFEST else method
            target.writestr(name, packed.read(name), kind)
    with pytest.raises(LabelingError, match="is damaged"):
        restore(plain, tmp_path / "新")
    assert not (tmp_path / "新").exists()


def test_a_manifest_that_unpacks_to_more_than_it_says(folder: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(archive.MANIFEST, b"[" * (archive._MANIFEST_LIMIT + 1))
    honest = evil.read_bytes()
    size = (archive._MANIFEST_LIMIT + 1).to_bytes(4, "little")
    assert honest.count(size) == 2
    for content in (honest, honest.replace(size, (1000).to_bytes(4, "little"))):
        evil.write_bytes(content)
        with pytest.raises(LabelingError, match="is not a pizhu backup"):
            restore(evil, tmp_path / "新")


def test_a_part_that_unpacks_to_more_than_it_says(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more of it is written than was said, nor where there is no room for what is said."""
    said = 1000

    def change(manifest: Any, members: Any) -> None:
        [part] = [part for part in manifest["parts"] if part["name"] == "data/.env"]
        members[part["member"]] = bytes(1 << 26)
        part["size"] = said

    made = backup(folder, tmp_path / "备份").path
    written = []
    copy = archive._copy
    monkeypatch.setattr(archive, "_copy", lambda *given: written.append(copy(*given)) or written[-1])
    with pytest.raises(LabelingError, match="is damaged"):
        restore(forged(made, tmp_path / "evil.zip", change), tmp_path / "新")
    assert max(size for _, size in written) <= said + archive._CHUNK
    said = 1 << 59
    with pytest.raises(LabelingError, match=r"needs 576,460,752,30\d MB unpacked, but only"):
        restore(forged(made, tmp_path / "evil.zip", change), tmp_path / "新")
    assert not (tmp_path / "新").exists()


@pytest.mark.parametrize("value", ["9" * 5000, "1." * 3000 + "1", "", "1.x", None, [[1]], 10**200, "١.٢"])
def test_a_label_studio_that_is_none(folder: Path, tmp_path: Path, value: Any) -> None:
    made = backup(folder, tmp_path / "备份")
    evil = forged(made.path, tmp_path / "evil.zip", lambda manifest, _: manifest.update(label_studio=value))
    with pytest.raises(LabelingError, match="which version of Label Studio"):
        restore(evil, tmp_path / "新")


@pytest.mark.parametrize("field", ["size", "sha256", "member", "name"])
@pytest.mark.parametrize("value", [None, -1, 10**4000, 1.5, True, [[1]], {"a": 1}, "\ud800", "x" * 300])
def test_parts_that_are_none(folder: Path, tmp_path: Path, field: str, value: Any) -> None:
    def change(manifest: Any, members: Any) -> None:
        manifest["parts"][-1][field] = value

    made = backup(folder, tmp_path / "备份")
    with pytest.raises(LabelingError):
        restore(forged(made.path, tmp_path / "evil.zip", change), tmp_path / "里" / "新")
    assert not (tmp_path / "里").exists() or not list((tmp_path / "里").iterdir())


def test_a_manifest_too_deep_to_read(tmp_path: Path) -> None:
    for text in ("[" * 200_000, '{"a":' * 200_000, "1" * 5000):
        with zipfile.ZipFile(tmp_path / "evil.zip", "w") as target:
            target.writestr(archive.MANIFEST, text)
        with pytest.raises(LabelingError, match="is not a pizhu backup"):
            restore(tmp_path / "evil.zip", tmp_path / "新")


def test_copies_of_exports_stay_out(folder: Path, tmp_path: Path) -> None:
    export = folder / "data" / "export"
    export.mkdir()
    for name in ("project-1-at-2026-05-01-12-00-0a1b2c3d.json", "project-1-at-2026-05-01-12-00-0a1b2c3d-info.json"):
        (export / name).write_text("[]", encoding="utf-8")
    (export / "own.json").write_text("[]", encoding="utf-8")
    names = {part["name"] for part in archive.read_manifest(backup(folder, tmp_path).path)["parts"]}
    assert {name for name in names if name.startswith("data/export/")} == {"data/export/own.json"}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("version", 2, "made by a later pizhu"),
        ("label_studio", "1.99.0", "later than this pizhu's"),
        ("database", "postgresql", "give --database"),
    ],
)
def test_backups_of_another_kind(folder: Path, tmp_path: Path, field: str, value: Any, told: str) -> None:
    made = backup(folder, tmp_path / "备份")
    other = forged(made.path, tmp_path / "other.zip", lambda manifest, _: manifest.update({field: value}))
    with pytest.raises(LabelingError, match=told):
        restore(other, tmp_path / "新")
    with pytest.raises(LabelingError, match="leave out --database"):
        restore(made.path, tmp_path / "新", database=PostgreSQL("u", "127.0.0.1", 9, "n"))


def test_an_interrupted_backup_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    def interrupt(what: str, done: float, total: float | None = None, /) -> None:
        if what.startswith("Writing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(folder, tmp_path / "备份", progress=interrupt)
    assert list((tmp_path / "备份").iterdir()) == []


@pytest.mark.usefixtures("seconds")
def test_only_own_backups_are_removed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "备份"
    old = [backup(folder, out).path for _ in range(4)]
    other = backup(begin(tmp_path / "别的服务器"), out, keep=1).path
    assert sorted(out.iterdir()) == sorted([*old, other]), "another server's backup was removed"
    damaged = out / "pizhu-label-20200101T000000Z.zip"
    damaged.write_bytes(b"PK")
    named = out / "重要.zip"
    shutil.copy2(old[0], named)
    made = backup(folder, out, keep=2)
    assert set(made.removed) == set(old[:3])
    assert set(out.iterdir()) == {old[3], made.path, other, damaged, named}


@pytest.mark.usefixtures("seconds")
def test_a_restored_server_goes_on_with_its_series(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "备份"
    first = backup(folder, out).path
    back = restore(first, tmp_path / "新")
    assert backup(back, out, keep=1).removed == (first,)
