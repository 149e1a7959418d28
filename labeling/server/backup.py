"""Backs up a running server's projects, answers, accounts and uploads to one file, and restores them.

A backup includes the secret, state and trained models of the prediction service in the same folder, but not a training
in progress, which must be started again after a restore.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ...base.errors import LabelingError
from ...base.progress import Progress, silent
from . import archive
from .accounts import Accounts
from .database import database_of, initialised, remember
from .postgresql import PostgreSQL
from .scratch import scratch
from .server import absolute
from .venv import VERSION

_DUMP = "database"
_PART = re.compile(
    rf"{_DUMP}|accounts\.json|data/(?!(?i:label_studio\.sqlite3)).+|predict/(secret|state\.json|versions/\d+/.+)",
    re.DOTALL,
)
# The database, which `database` holds, and the copies that Label Studio keeps of exports.
_LEFT_OUT = re.compile(r"data/(label_studio\.sqlite3|export/project-.*-at-.*\.json)")
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,9}")
_NAME = re.compile(r"pizhu-label-\d{8}T\d{6}Z\.zip")


@dataclass(frozen=True)
class Backup:
    """A new backup.

    Attributes:
        path: the file; it holds passwords.
        database: ``sqlite`` or ``postgresql``.
        size: in bytes.
        removed: the server's older backups that were removed.
    """

    path: Path
    database: str
    size: int
    removed: tuple[Path, ...] = ()


def backup(
    folder: str | Path | None = None,
    out: str | Path | None = None,
    *,
    keep: int | None = None,
    progress: Progress = silent,
) -> Backup:
    """Back up the server in ``folder``, whether it runs or not.

    The database is copied first, as of one moment, and the uploads after it, so that the backup has every upload that
    the database refers to.

    Args:
        folder: the server's folder.
        out: the folder for the file, which is named by its time (UTC); None: ``backups`` in the server's folder.
        keep: how many of this server's newest backups to keep in ``out``; None keeps all. Other files, other servers'
            backups and unreadable ones are never removed; leftovers of killed backups always are.
        progress: reports the current step.

    Raises:
        LabelingError: ``folder`` holds no server's data, or its database cannot be read.
    """
    folder = absolute(folder)
    if not initialised(folder) or not (folder / "accounts.json").exists():
        raise LabelingError(f"{folder} holds no server's data; start a server with `pizhu label serve`")
    database = database_of(folder)
    out = Path(out) if out is not None else folder / "backups"
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    server = _fingerprint(folder)
    facts = {
        "time": now.isoformat(timespec="seconds"),
        "pizhu": version("pizhu"),
        "label_studio": VERSION,
        "database": database.kind,
        "address": database.address,
        "server": server,
    }
    path = out / f"pizhu-label-{now:%Y%m%dT%H%M%SZ}.zip"
    if path.exists():
        raise LabelingError(f"{path} was made within this second; there is nothing newer to back up")
    with scratch(out) as work:  # private, and on the disk that has room for the backup
        progress("Copying the database", 0)
        dump = work / _DUMP
        database.dump(dump)
        archive.write(work / path.name, _parts(folder, dump), facts, progress)
        (work / path.name).rename(path)
    removed = _thin_out(out, server, keep) if keep is not None else ()
    return Backup(path, database.kind, path.stat().st_size, removed)


def restore(
    path: str | Path,
    folder: str | Path | None = None,
    *,
    database: PostgreSQL | None = None,
    progress: Progress = silent,
) -> Path:
    """Restore a backup into an empty folder, and for PostgreSQL an empty database; returns the folder.

    A server that :func:`.server.start` starts in it then has the same projects, answers, accounts and passwords.

    Raises:
        LabelingError: the folder or database is not empty, or the backup is damaged, from another kind of database or
            from a later Label Studio; nothing is left behind then.
    """
    path, folder = Path(path), absolute(folder)
    manifest = archive.read_manifest(path)
    kind = "sqlite" if database is None else database.kind
    if manifest.get("database") != kind:
        hint = (
            "give --database with an empty database"
            if kind == "sqlite"
            else "leave out --database to restore it to SQLite"
        )
        raise LabelingError(f"{path} is a backup of a server with database {manifest.get('address')}; {hint}")
    made_by = manifest.get("label_studio")
    if not isinstance(made_by, str) or not _VERSION.fullmatch(made_by):
        raise LabelingError(f"{path} does not say which version of Label Studio made it; use another backup")
    if _numbers(made_by) > _numbers(VERSION):
        raise LabelingError(f"{path} is from Label Studio {made_by}, later than this pizhu's {VERSION}; update pizhu")
    names = {part["name"] for part in manifest["parts"]}
    if not {_DUMP, "accounts.json"} <= names or not all(map(_PART.fullmatch, names)):
        raise LabelingError(f"{path} is incomplete, or holds files that no server has; use another backup")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabelingError(f"{folder} is not empty, and nothing is overwritten; choose a new folder with --folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with scratch(folder.parent) as work:
        staged = work / "server"
        staged.mkdir(mode=0o700)
        archive.extract(path, staged, progress)
        progress("Filling the database", 0)
        target = database_of(staged, database)
        target.load(staged / _DUMP)
        (staged / _DUMP).unlink(missing_ok=True)
        remember(staged, target)
        if folder.exists():
            folder.rmdir()  # Windows renames only to a name that does not exist
        staged.rename(folder)
    return folder


def _parts(folder: Path, dump: Path) -> Iterator[tuple[str, Path]]:
    """A server's files: the copy of the database, the accounts, Label Studio's files, the prediction service's."""
    yield _DUMP, dump
    yield "accounts.json", folder / "accounts.json"
    yield from (part for part in _files(folder, folder / "data") if not _LEFT_OUT.match(part[0]))
    predict = folder / "predict"
    # The state before the models: every model that it names exists by then and is complete.
    for name in ("secret", "state.json", "versions"):
        yield from _files(folder, predict / name)


def _files(folder: Path, place: Path) -> Iterator[tuple[str, Path]]:
    """The file ``place``, or those below it, by their names in ``folder``; symbolic links are left out."""
    for path in [place] if place.is_file() else sorted(place.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _fingerprint(folder: Path) -> str:
    """Identifies a server's backups, also after a restore; reveals nothing about the owner's token."""
    return hashlib.sha256(f"pizhu backup of {Accounts(folder / 'accounts.json').owner.token}".encode()).hexdigest()[:16]


def _thin_out(out: Path, server: str, keep: int) -> tuple[Path, ...]:
    found = sorted((path for path in out.iterdir() if _NAME.fullmatch(path.name) and path.is_file()), reverse=True)
    removed = []
    for path in [path for path in found if _is_of(path, server)][keep:]:
        path.unlink()
        removed.append(path)
    return tuple(removed)


def _is_of(path: Path, server: str) -> bool:
    try:
        return archive.read_manifest(path).get("server") == server
    except LabelingError:
        return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
