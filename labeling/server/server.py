"""The Label Studio that runs on this machine: started, watched and stopped, with no call to the internet.

One folder holds everything of a server: ``data/`` (Label Studio's own: uploads and, unless it is on PostgreSQL, the
database), ``accounts.json``, ``database.json`` and ``server.json`` (private), ``server.log``. :mod:`.backup` copies it.
The server holds ``server.lock`` as long as it runs, so no second one starts on the same data.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from ...base.errors import LabelingError
from ...base.network import LOOPBACK, checked_origin, free_port, local_url, opener, shared_url
from ...base.private import read_private, write_private
from ...base.progress import Progress, silent
from ...base.typed import Misfit, parse
from ..studio.access import Access
from . import process
from .accounts import Accounts
from .database import Database, begun, database_of, forget, remember
from .env import identity, variables
from .postgresql import PostgreSQL
from .scratch import clear
from .venv import ensure_environment

START_LIMIT = 600.0  # seconds; the first start takes 30 to 90, longer on a slow disk


@dataclass(frozen=True)
class Server:
    """A Label Studio that was started here.

    Attributes:
        url: its address for programs on this machine.
        pid: its process.
        folder: where its data are.
        token: the owner's.
        host: the address it listens on.
        shared: the address for other machines; None where only this one reaches it.
    """

    url: str
    pid: int
    folder: str
    token: str = field(repr=False)
    host: str = LOOPBACK
    shared: str | None = None

    @property
    def access(self) -> Access:
        """Address and owner's token."""
        return Access(self.url, self.token)

    @property
    def accounts(self) -> Accounts:
        """The owner's and the annotators' accounts."""
        return Accounts(Path(self.folder) / "accounts.json")

    @property
    def database(self) -> Database:
        """Where its data are."""
        return database_of(Path(self.folder))


def default_folder() -> Path:
    """Where a server's data are unless a folder is given: among the user's data."""
    return platformdirs.user_data_path("pizhu") / "label-studio"


def absolute(folder: str | Path | None) -> Path:
    """``folder``, or the default one, wherever a program may stand."""
    return (Path(folder) if folder is not None else default_folder()).absolute()


def start(
    folder: str | Path | None = None,
    *,
    environment: str | Path | None = None,
    host: str | None = None,
    port: int | None = None,
    public_url: str | None = None,
    database: PostgreSQL | None = None,
    annotators: Iterable[tuple[str, str | None]] = (),
    progress: Progress = silent,
) -> Server:
    """Start Label Studio, installing it first where need be, and give the annotators accounts.

    A server that already runs on the folder is returned as it is, new annotators added.

    Args:
        folder: the server's data; made when missing.
        environment: the virtual environment that holds Label Studio, see :func:`ensure_environment`.
        host: the address of this machine to listen on; 127.0.0.1 when None, 0.0.0.0 for all of them.
        port: when None the one of the last start on the folder, so that addresses people keep stay good, or a free one.
        public_url: what users type, where that is another address than the one listened on (a proxy, a container).
        database: where to begin a new server's data; SQLite when None. A later start finds it again by itself.
        annotators: names and, where known, emails; see :func:`.accounts.read_people`.
        progress: told the seconds that the start takes.

    Raises:
        LabelingError: the port is taken, the folder was begun on another database, the server ends or does not
            answer in time, or refuses an account.
    """
    folder = absolute(folder)
    there = database_of(folder, database)
    server = running(folder)
    if server is None:
        host = host or LOOPBACK
        last = _last(folder)
        # A taken one is told before anything is installed.
        port = free_port(host, port, preferred=urlsplit(last.url).port if last else None)
        shared = checked_origin(public_url) if public_url else shared_url(host, port)
        for place in (folder / "backups", folder.parent):  # where backing up and restoring work, unless told otherwise
            clear(place)
        command = ensure_environment(environment, progress)
        server = _launch(folder, there, command, (host, port), shared, progress)
    elif port is not None and not server.url.endswith(f":{port}"):
        raise LabelingError(f"Label Studio already runs on {folder} at {server.url}; stop it to change the port")
    elif host is not None and host != server.host:
        raise LabelingError(f"Label Studio already runs on {folder} at {server.host}; stop it to change the address")
    elif public_url and (wanted := checked_origin(public_url)) != server.shared:
        known = server.shared or "this machine only"
        raise LabelingError(
            f"Label Studio already runs on {folder} for {known}, not for {wanted}; stop it to change the public address"
        )
    server.accounts.ensure(server.access, annotators)
    return server


def running(folder: str | Path | None = None) -> Server | None:
    """The server that runs on ``folder``, or None."""
    server = _last(folder)
    if server is None or not _alive(server):
        return None
    # A copy of a server's folder tells of the original's.
    copied = Path(server.folder).exists() and not Path(server.folder).samefile(absolute(folder))
    return None if copied else server


def healthy(url: str) -> bool:
    """Whether Label Studio answers there."""
    try:
        with opener().open(f"{url}/health", timeout=5) as answer:
            return bool(json.loads(answer.read(10_000)).get("status") == "UP")
    except (OSError, ValueError, AttributeError, RecursionError, HTTPException):
        return False


def stop(folder: str | Path | None = None) -> bool:
    """End the server on ``folder``; whether there was one."""
    server = running(folder)
    if server is not None:
        process.end(server.pid)
    return server is not None


def wait(server: Server) -> None:
    """Return when the server has ended."""
    while _alive(server):
        time.sleep(1)


def _launch(
    folder: Path,
    database: Database,
    command: Path,
    listening: tuple[str, int],
    shared: str | None,
    progress: Progress,
) -> Server:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # the database holds tokens
    host, port = listening
    log = folder / "server.log"
    size = log.stat().st_size if log.exists() else 0
    try:
        with process.claim(folder / "server.lock") as held:
            first = not begun(folder)
            remember(folder, database)
            owner = Accounts(folder / "accounts.json").owner
            arguments = ["start", "--no-browser", "--data-dir", str(folder / "data"), "--internal-host", host]
            pid = process.launch(
                [str(command), *arguments, "--port", str(port)],
                variables(folder, owner, database.variables, shared),
                folder,
                log,
                held,
            )
            server = Server(local_url(host, port), pid, str(folder), owner.token, host, shared)
            write_private(_state_file(folder), json.dumps(asdict(server), ensure_ascii=False, indent=1) + "\n")
    except BlockingIOError:
        raise LabelingError(
            f"Label Studio already starts or runs on {folder}, and {_state_file(folder)} does not tell where; wait a"
            f" minute and try again, else stop the process `label-studio start … {folder / 'data'}` by hand"
        ) from None
    try:
        _await_health(server, first, progress, size)
        _check_owner(server, database)
    except BaseException:
        stop(folder)
        if first:
            forget(folder)  # the address may have been wrong
        raise
    return server


def _await_health(server: Server, first: bool, progress: Progress, logged: int) -> None:
    what = "Starting Label Studio" + (" (the first start makes the database: 1 to 2 minutes)" if first else "")
    since = time.monotonic()
    while not healthy(server.url):
        elapsed = time.monotonic() - since
        progress(what, elapsed)
        if not _alive(server):
            log = Path(server.folder) / "server.log"
            raise LabelingError(f"Label Studio ended while starting{_reason(log, logged)}; see {log}")
        if elapsed > START_LIMIT:
            raise LabelingError(f"Label Studio did not answer within {START_LIMIT:.0f} seconds; see its server.log")
        time.sleep(0.5)


def _reason(log: Path, logged: int) -> str:
    """What the database said, if that is in the part of the log after its first ``logged`` bytes."""
    with log.open("rb") as file:
        file.seek(logged)
        lines = file.read().decode("utf-8", "replace").splitlines()
    told = [line.partition("OperationalError: ")[2] for line in lines if "OperationalError: " in line]
    return f": {told[-1]}" if told else ""


def _check_owner(server: Server, database: Database) -> None:
    """A database that another folder's server has made does not know this folder's owner."""
    request = urllib.request.Request(
        f"{server.url}/api/current-user/whoami", headers={"Authorization": f"Token {server.token}"}
    )
    try:
        opener().open(request, timeout=60).close()
    except urllib.error.HTTPError as error:
        error.close()
        raise LabelingError(
            f"{database.address} is in use by the server of another folder; start that one, or give an empty database"
        ) from None


def _alive(server: Server) -> bool:
    """Whether its process runs: the number may be another's by now, and the clock may have been set meanwhile."""
    environ = process.environment(server.pid) or {}
    return all(environ.get(name) == value for name, value in identity(Path(server.folder), server.token).items())


def _last(folder: str | Path | None) -> Server | None:
    """The server that was started last on ``folder``, whether it still runs or not."""
    path = _state_file(folder)
    if not path.exists():
        return None
    try:
        return parse(read_private(path), Server)  # an earlier pizhu wrote more
    except Misfit:
        raise LabelingError(f"{path} is damaged; remove it, and stop Label Studio by hand if it runs") from None


def _state_file(folder: str | Path | None) -> Path:
    return absolute(folder) / "server.json"
