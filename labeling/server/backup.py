"""A server's projects, answers, accounts and uploads in one file, taken while it runs, and put back from it.

Of the prediction service in the same folder, its secret, its state and the models that it trained come along; a
training that is under way does not, and is to be started again.
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
from .database import begun, database_of, remember
from .postgresql import PostgreSQL
from .scratch import scratch
from .server import absolute
from .venv import VERSION

_DUMP = "database"
_PART = re.compile(
    rf"{_DUMP}|accounts\.json|data/(?!(?i:label_studio\.sqlite3)).+|predict/(secret|state\.json|versions/\d+/.+)",
    re.DOTALL,
)
# What `database` holds, and copies that Label Studio kept of exports.
_LEFT_OUT = re.compile(r"data/(label_studio\.sqlite3|export/project-.*-at-.*\.json)")
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,9}")
_NAME = re.compile(r"pizhu-label-\d{8}T\d{6}Z\.zip")


@dataclass(frozen=True)
class Backup:
    """A backup that was made.

    Attributes:
        path: the file; it holds passwords.
        database: ``sqlite`` or ``postgresql``.
        size: bytes.
        removed: older ones of the same server that went.
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
    """Back up the server on ``folder``, whether it runs or not.

    The database is taken as of one moment, and the uploads after it, so that every upload it knows of is there.

    Args:
        folder: the server's.
        out: where the file goes, named by its time (UTC); ``backups`` in the server's folder when None.
        keep: how many of this server's backups stay in ``out``, the newest; all when None. Other files, other
            servers' backups and ones that cannot be read are never removed. What killed backups left there always is.
        progress: told what is done.

    Raises:
        LabelingError: there is no server's data in ``folder``, or its database cannot be read.
    """
    folder = absolute(folder)
    if not begun(folder) or not (folder / "accounts.json").exists():
        raise LabelingError(f"there is no server's data in {folder}; `pizhu label serve` begins one")
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
        raise LabelingError(f"{path} was made this very second; there is nothing newer to back up")
    with scratch(out) as work:  # private, and room enough there
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
    """Put a backup into an empty folder, and an empty database where it was of PostgreSQL; returns the folder.

    Afterwards :func:`.server.start` on the folder has the same projects, answers, accounts and passwords.

    Raises:
        LabelingError: the folder or database is not empty, the backup is damaged, of another kind of database, or of
            a later Label Studio; nothing is left behind then.
    """
    path, folder = Path(path), absolute(folder)
    manifest = archive.read_manifest(path)
    kind = "sqlite" if database is None else database.kind
    if manifest.get("database") != kind:
        hint = (
            "give --database with an empty database" if kind == "sqlite" else "restore it without --database to SQLite"
        )
        raise LabelingError(f"{path} is a backup of a server on {manifest.get('address')}; {hint}")
    made_by = manifest.get("label_studio")
    if not isinstance(made_by, str) or not _VERSION.fullmatch(made_by):
        raise LabelingError(f"{path} does not say which Label Studio it is of; use another backup")
    if _numbers(made_by) > _numbers(VERSION):
        raise LabelingError(f"{path} is of Label Studio {made_by}, later than this pizhu's {VERSION}; update pizhu")
    names = {part["name"] for part in manifest["parts"]}
    if not {_DUMP, "accounts.json"} <= names or not all(map(_PART.fullmatch, names)):
        raise LabelingError(f"{path} is not whole, or holds what is no part of a server; use another backup")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabelingError(f"{folder} is not empty; give --folder with a new one, nothing is overwritten")
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
            folder.rmdir()  # Windows renames onto nothing only
        staged.rename(folder)
    return folder


def _parts(folder: Path, dump: Path) -> Iterator[tuple[str, Path]]:
    """What a server is made of: the database's copy, accounts, Label Studio's files, the prediction service's."""
    yield _DUMP, dump
    yield "accounts.json", folder / "accounts.json"
    yield from (part for part in _files(folder, folder / "data") if not _LEFT_OUT.match(part[0]))
    predict = folder / "predict"
    # The state before the models: each that it names is there by then, and whole.
    for name in ("secret", "state.json", "versions"):
        yield from _files(folder, predict / name)


def _files(folder: Path, place: Path) -> Iterator[tuple[str, Path]]:
    """The file ``place``, or those below it, by their names in ``folder``; links are none of ours."""
    for path in [place] if place.is_file() else sorted(place.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _fingerprint(folder: Path) -> str:
    """What tells one server's backups from another's, restored ones included; says nothing of the owner's token."""
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
