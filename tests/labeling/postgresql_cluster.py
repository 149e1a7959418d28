"""A PostgreSQL of the tests' own, from the programs that are installed: in a temporary folder, on a free port."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pizhu.labeling.server.postgresql import PostgreSQL


@dataclass(frozen=True)
class Cluster:
    """Runs until its block ends; databases belong to a user who is no superuser, as an office would have it."""

    port: int
    password: str
    major: int

    def create(self) -> PostgreSQL:
        """A new, empty database."""
        name = f"标注_{secrets.token_hex(4)}"
        self.administer(f'CREATE DATABASE "{name}" OWNER pizhu')
        return PostgreSQL("pizhu", "127.0.0.1", self.port, name, self.password)

    def administer(self, command: str, database: str = "postgres") -> str:
        """Run one command of SQL as the superuser; what it printed."""
        address = f"postgresql://postgres@127.0.0.1:{self.port}/{database}"
        return subprocess.run(
            [_program("psql"), "--no-psqlrc", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", command, address],
            env=os.environ | {"PGPASSWORD": self.password},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ).stdout


def missing() -> str | None:
    """Why there can be no cluster here; None where there can."""
    if _folder() is None:
        return "PostgreSQL's programs are not installed (Debian: apt install postgresql)"
    if os.name == "posix" and os.geteuid() == 0 and not shutil.which("runuser"):
        return "PostgreSQL does not run as root, and there is no runuser"
    return None


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make one (a few seconds) and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="pizhu-postgresql-"))
    as_user: list[str] = []
    if os.name == "posix" and os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Signs that passfiles and environments must carry unchanged.
    password = f"密 \\:'\"{secrets.token_hex(8)}"
    (folder / "password").write_text(password, encoding="utf-8")
    data = str(folder / "data")

    def run(program: str, *arguments: str) -> None:
        log = folder / f"{program}.log"
        with log.open("ab") as output:
            subprocess.run(
                [*as_user, _program(program), "-D", data, *arguments], check=True, stdout=output, stderr=output, cwd="/"
            )

    try:
        if as_user:
            shutil.chown(folder / "password", "postgres")
        options = ("--username=postgres", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}")
        run("initdb", *options, "--encoding=UTF8", "--locale=C", "--no-sync")
        listen = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        run("pg_ctl", "-o", listen, "-w", "-l", str(folder / "postgres.log"), "start")
        try:
            version = (folder / "data" / "PG_VERSION").read_text(encoding="utf-8")
            made = Cluster(port, password, int(version))
            quoted = password.replace("'", "''")
            made.administer(f"SET standard_conforming_strings = on; CREATE ROLE pizhu LOGIN PASSWORD '{quoted}'")
            yield made
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    folder = _folder()
    assert folder is not None
    return str(folder / name)


def _folder() -> Path | None:
    """Where initdb is: on the path, or where Debian keeps it off the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return kept[-1].parent if kept else None
