"""A server's database: SQLite in its folder, or PostgreSQL, whose address the folder then remembers."""

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
    """A database for Label Studio: what starting, backing up and restoring a server need."""

    @property
    def address(self) -> str:
        """Its address for people; holds no secret."""

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables that point Label Studio at it."""

    def dump(self, path: Path) -> None:
        """Write all of it as of one moment to ``path``; it may be in use."""

    def load(self, path: Path) -> None:
        """Restore what :meth:`dump` wrote; nothing is overwritten."""


@dataclass(frozen=True)
class SQLite:
    """The database file that Label Studio creates."""

    path: Path
    address: ClassVar[str] = "SQLite"
    kind: ClassVar[str] = "sqlite"
    variables: ClassVar[Mapping[str, str]] = {}

    def dump(self, path: Path) -> None:
        """See :class:`Database`; uses SQLite's online backup in one step, so that a writing server waits for it."""
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
    """The database of the server in ``folder``: the one it already uses, else ``wanted``, else SQLite.

    Raises:
        LabelingError: the folder uses another database than ``wanted``.
    """
    kept = _remembered(folder)
    sqlite = _sqlite(folder)
    present: Database | None = kept or (sqlite if sqlite.path.exists() else None)
    if wanted is None:
        return present or sqlite
    if present is not None and present.address != wanted.address:
        raise LabelingError(
            f"{folder} uses the database {present.address}, not {wanted.address}; give the one it uses, or choose"
            " another folder"
        )
    # A password that is not given again is still the one remembered.
    return wanted if wanted.password or kept is None else kept


def initialised(folder: Path) -> bool:
    """Whether a server has started in ``folder``: its data are there or in a database that it remembers."""
    return _file(folder).exists() or _sqlite(folder).path.exists()


def remember(folder: Path, database: Database) -> None:
    """Store the address and password of ``database`` in ``folder``, in a private file, for later commands."""
    if isinstance(database, PostgreSQL):
        write_private(_file(folder), json.dumps(asdict(database), ensure_ascii=False, indent=1) + "\n")


def forget(folder: Path) -> None:
    """Forget the database of ``folder``, so that it can be started with any."""
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
