"""Starts, watches and stops a Label Studio on this machine, which makes no calls to the internet.

One folder holds everything of a server: ``data/`` (Label Studio's own: uploads and, unless it uses PostgreSQL, the
database), ``accounts.json``, ``database.json`` and ``server.json`` (private), ``server.log``. :mod:`.backup` copies it.
The server holds the lock ``server.lock`` while it runs, so that no second one starts on the same data.
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
from .database import Database, database_of, forget, initialised, remember
from .env import identity, variables
from .postgresql import PostgreSQL
from .scratch import clear
from .venv import ensure_environment

START_LIMIT = 600.0  # seconds; the first start takes 30 to 90, longer on a slow disk


@dataclass(frozen=True)
class Server:
    """A Label Studio that was started on this machine.

    Attributes:
        url: its address for programs on this machine.
        pid: its process id.
        folder: where its data are.
        token: the owner's token.
        host: the address it listens on.
        shared: the address for other machines; None if only this one can reach it.
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
    """The default folder for a server's data: in the user's data folder."""
    return platformdirs.user_data_path("pizhu") / "label-studio"


def absolute(folder: str | Path | None) -> Path:
    """``folder``, or the default one, as an absolute path."""
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
    """Start Label Studio, installing it first if necessary, and create the annotators' accounts.

    If a server already runs on the folder, it is returned as it is, with accounts for new annotators.

    Args:
        folder: the server's data; created if missing.
        environment: the virtual environment that holds Label Studio, see :func:`ensure_environment`.
        host: the address of this machine to listen on; None means 127.0.0.1, 0.0.0.0 all addresses.
        port: None takes the port of the folder's last start, so that people's bookmarks stay valid, or a free one.
        public_url: the address that users type, if it differs from the one listened on (a proxy, a container).
        database: the database of a new server; None means SQLite. Later starts remember it.
        annotators: names and, if known, emails; see :func:`.accounts.read_people`.
        progress: reports the seconds since the start.

    Raises:
        LabelingError: the port is taken, the folder uses another database, or the server ends, does not respond in
            time or refuses an account.
    """
    folder = absolute(folder)
    target = database_of(folder, database)
    server = running(folder)
    if server is None:
        host = host or LOOPBACK
        last = _last(folder)
        # Raises if the port is taken, before anything is installed.
        port = free_port(host, port, preferred=urlsplit(last.url).port if last else None)
        shared = checked_origin(public_url) if public_url else shared_url(host, port)
        for place in (
            folder / "backups",
            folder.parent,
        ):  # the default places of backups' and restores' temporary folders
            clear(place)
        command = ensure_environment(environment, progress)
        server = _launch(folder, target, command, (host, port), shared, progress)
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
    # A copy of a server's folder describes the original server.
    copied = Path(server.folder).exists() and not Path(server.folder).samefile(absolute(folder))
    return None if copied else server


def healthy(url: str) -> bool:
    """Whether Label Studio responds at ``url``."""
    try:
        with opener().open(f"{url}/health", timeout=5) as answer:
            return bool(json.loads(answer.read(10_000)).get("status") == "UP")
    except (OSError, ValueError, AttributeError, RecursionError, HTTPException):
        return False


def stop(folder: str | Path | None = None) -> bool:
    """Stop the server on ``folder``; returns whether there was one."""
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
            first = not initialised(folder)
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
            f"Label Studio is already starting or running on {folder}, but {_state_file(folder)} does not say where;"
            f" wait a minute and try again, else stop the process `label-studio start … {folder / 'data'}` by hand"
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
    what = "Starting Label Studio" + (" (the first start creates the database: 1 to 2 minutes)" if first else "")
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
    """The database's error, if the log has one after its first ``logged`` bytes."""
    with log.open("rb") as file:
        file.seek(logged)
        lines = file.read().decode("utf-8", "replace").splitlines()
    errors = [line.partition("OperationalError: ")[2] for line in lines if "OperationalError: " in line]
    return f": {errors[-1]}" if errors else ""


def _check_owner(server: Server, database: Database) -> None:
    """Raise a :class:`LabelingError` if another folder's server made the database: it does not know this owner."""
    request = urllib.request.Request(
        f"{server.url}/api/current-user/whoami", headers={"Authorization": f"Token {server.token}"}
    )
    try:
        opener().open(request, timeout=60).close()
    except urllib.error.HTTPError as error:
        error.close()
        raise LabelingError(
            f"{database.address} is the database of another folder's server; start that one, or give an empty database"
        ) from None


def _alive(server: Server) -> bool:
    """Whether the server's process runs; its environment is checked, since another process may have its id by now."""
    environ = process.environment(server.pid) or {}
    return all(environ.get(name) == value for name, value in identity(Path(server.folder), server.token).items())


def _last(folder: str | Path | None) -> Server | None:
    """The server that was started last on ``folder``, whether it still runs or not."""
    path = _state_file(folder)
    if not path.exists():
        return None
    try:
        return parse(read_private(path), Server)  # an earlier pizhu wrote more fields
    except Misfit:
        raise LabelingError(f"{path} is damaged; remove it, and stop Label Studio by hand if it runs") from None


def _state_file(folder: str | Path | None) -> Path:
    return absolute(folder) / "server.json"
