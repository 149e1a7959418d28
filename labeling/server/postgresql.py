"""PostgreSQL as Label Studio's database, dumped and restored by PostgreSQL's own programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ...base.errors import LabelingError
from ...base.private import read_private, write_private
from .env import inherited

PASSWORD_VARIABLE = "PIZHU_LABEL_DATABASE_PASSWORD"
_EXAMPLE = "postgresql://user@127.0.0.1:5432/name"


@dataclass(frozen=True)
class PostgreSQL:
    """An existing database and the user who owns it.

    Attributes:
        user, host, port, name: where it is.
        password: the user's password; empty if the server asks for none.
    """

    user: str
    host: str
    port: int
    name: str
    password: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """The address that :func:`find_postgresql` accepts; without the password."""
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"

    @property
    def kind(self) -> str:
        """Its name in manifests."""
        return "postgresql"

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables that point Label Studio at it."""
        return {
            "DJANGO_DB": "default",
            "POSTGRE_NAME": self.name,
            "POSTGRE_USER": self.user,
            "POSTGRE_PASSWORD": self.password,
            "POSTGRE_HOST": self.host,
            "POSTGRE_PORT": str(self.port),
        }

    def dump(self, path: Path) -> None:
        """Write the whole database as of one moment to ``path`` (pg_dump's custom format); it may be in use.

        Raises:
            LabelingError: pg_dump is missing, older than the server, or cannot connect.
        """
        self._run(path.parent, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")

    def load(self, path: Path) -> None:
        """Restore a file from :meth:`dump` into the empty database, in one transaction.

        Raises:
            LabelingError: it is not empty, or PostgreSQL's programs are missing, too old or cannot connect.
        """
        tables = (
            "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        if (
            self._run(path.parent, "psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--command={tables}").strip()
            != "0"
        ):
            raise LabelingError(f"{self.address} is not empty; create an empty database to restore into")
        how = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
        self._run(path.parent, "pg_restore", *how, str(path))

    def _run(self, place: Path, program: str, *arguments: str) -> str:
        """Run the program and return its output; it reads the password from a file in ``place``, which is private."""
        command = shutil.which(program)
        if command is None:
            raise LabelingError(
                f"{program} is not installed; it is one of PostgreSQL's client programs"
                " (Debian: apt install postgresql-client)"
            )
        there = (f"--host={self.host}", f"--port={self.port}", f"--username={self.user}", f"--dbname={self.name}")
        with tempfile.TemporaryDirectory(dir=place) as folder:
            passfile = Path(folder) / "pgpass"
            secret = re.sub(r"([\\:])", r"\\\1", self.password)
            write_private(passfile, f"*:*:*:*:{secret}\n")
            done = subprocess.run(
                [command, *there, "--no-password", *arguments],
                env=inherited() | {"LC_ALL": "C", "PGPASSFILE": str(passfile)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        if done.returncode:
            raise LabelingError(self._explain(program, done.stderr))
        return done.stdout

    def _explain(self, program: str, complaint: str) -> str:
        if "server version mismatch" in complaint:
            return (
                f"{program} is older than PostgreSQL at {self.address}; install the server's version of the client"
                " programs"
            )
        lines = [line for line in complaint.splitlines() if "error:" in line] or complaint.splitlines() or ["no reason"]
        return f"{program} failed on {self.address}: {lines[0].partition('error:')[2].strip() or lines[0]}"


def find_postgresql(address: str | None, password_file: str | Path | None = None) -> PostgreSQL | None:
    """The database at ``address``, with the password from ``password_file`` (private) or the environment.

    Args:
        address: like ``postgresql://user@host:port/name``, without a password; None means no PostgreSQL.
        password_file: a file of mode 600; by default ``PIZHU_LABEL_DATABASE_PASSWORD``, else there is no password.

    Raises:
        LabelingError: the address is malformed or holds a password, or others can read the file.
    """
    if address is None:
        if password_file is not None:
            raise LabelingError("--database-password-file needs --database")
        return None
    try:
        parts = urlsplit(address)
        port = parts.port or 5432
    except ValueError:
        raise LabelingError(f"the database's address must look like {_EXAMPLE}") from None
    if parts.password is not None:
        raise LabelingError(
            f"the database's address must not hold a password; put it into {PASSWORD_VARIABLE} or"
            " give --database-password-file"
        )
    name = parts.path.removeprefix("/")
    # Refuse names that PostgreSQL's programs would read as something else (a=b, postgres://…).
    plain = all(part and re.fullmatch(r"\w[\w.-]*", part) for part in (parts.username, name))
    host = parts.hostname or ""
    if parts.scheme != "postgresql" or not plain or not re.fullmatch(r"[\w.:-]+", host) or parts.query:
        raise LabelingError(f"the database's address must look like {_EXAMPLE}")
    if password_file is not None:
        password = read_private(password_file).strip("\r\n")
    else:
        password = os.environ.get(PASSWORD_VARIABLE, "")
    if not password.isprintable():
        raise LabelingError("the database's password must be one line")
    return PostgreSQL(str(parts.username), host, port, name, password)
