"""Where a server's folder keeps its data: SQLite in the folder, or PostgreSQL, which the folder then remembers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from ...base.errors import LabelingError
from ...base.private import read_private, write_private
from ...base.typed import Misfit, parse
from .postgresql import PostgreSQL


class Database(Protocol):
    """What Label Studio stores in, as far as starting it, backing it up and restoring it need to know."""

    @property
    def address(self) -> str:
        """What people call it; holds no secret."""

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment that points Label Studio at it."""

    def dump(self, path: Path) -> None:
        """Write all of it as of one moment to ``path``, while it may be in use."""

    def load(self, path: Path) -> None:
        """Fill it from what :meth:`dump` wrote; nothing that is there is overwritten."""


@dataclass(frozen=True)
class SQLite:
    """The file that Label Studio makes for itself."""

    path: Path
    address: ClassVar[str] = "SQLite"
    kind: ClassVar[str] = "sqlite"
    variables: ClassVar[Mapping[str, str]] = {}

    def dump(self, path: Path) -> None:
        """See :class:`Database`; by SQLite's online backup, in one step, so that a writing server waits for it."""
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(path)) as copy:
            source.backup(copy)

    def load(self, path: Path) -> None:
        """See :class:`Database`."""
        try:
            with closing(sqlite3.connect(path)) as copy:
                whole = copy.execute("PRAGMA quick_check").fetchone() == ("ok",)
        except sqlite3.DatabaseError:
            whole = False
        if not whole:
            raise LabelingError("the database in the backup is damaged; use another backup")
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.rename(self.path)


def database_of(folder: Path, wanted: PostgreSQL | None = None) -> Database:
    """The database of the server's ``folder``: the one it was begun on, else ``wanted``, else SQLite.

    Raises:
        LabelingError: the folder was begun on another database than ``wanted``.
    """
    kept = _remembered(folder)
    sqlite = _sqlite(folder)
    there: Database | None = kept or (sqlite if sqlite.path.exists() else None)
    if wanted is None:
        return there or sqlite
    if there is not None and there.address != wanted.address:
        raise LabelingError(
            f"{folder} was begun on {there.address}, not on {wanted.address}; give the one it was begun on, or"
            " another folder"
        )
    # A password that is not given again is still the one remembered.
    return wanted if wanted.password or kept is None else kept


def begun(folder: Path) -> bool:
    """Whether a server's data are in ``folder`` or in a database that it remembers."""
    return _file(folder).exists() or _sqlite(folder).path.exists()


def remember(folder: Path, database: Database) -> None:
    """Let later commands on ``folder`` find ``database``, its password too: the file is private."""
    if isinstance(database, PostgreSQL):
        write_private(_file(folder), json.dumps(asdict(database), ensure_ascii=False, indent=1) + "\n")


def forget(folder: Path) -> None:
    """Let ``folder`` be begun on any database again."""
    _file(folder).unlink(missing_ok=True)


def _remembered(folder: Path) -> PostgreSQL | None:
    if not _file(folder).exists():
        return None
    try:
        return parse(read_private(_file(folder)), PostgreSQL)
    except Misfit:
        raise LabelingError(f"{_file(folder)} is damaged; remove it and give --database again") from None


def _sqlite(folder: Path) -> SQLite:
    return SQLite(folder / "data" / "label_studio.sqlite3")


def _file(folder: Path) -> Path:
    return folder / "database.json"
