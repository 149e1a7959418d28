"""The Label Studio that runs on this machine: started, watched and stopped, on SQLite, with no call to the internet.

One folder holds everything of a server: ``data/`` (Label Studio's own: database, uploads), ``accounts.json`` and
``server.json`` (private), ``server.log``. To back it up, stop the server and copy the folder.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import platformdirs

from ..data.errors import LabelingError, MissingExtraError
from .access import Access, read_private, write_private
from .accounts import Account, Accounts
from .environment import ensure_environment
from .progress import Progress, silent

HOST = "127.0.0.1"
START_LIMIT = 600.0  # seconds; the first start takes 30 to 90, longer on a slow disk

# Processes started by this Python: they are waited for after they are stopped, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Server:
    """A Label Studio that was started here.

    Attributes:
        url: its address.
        pid: its process.
        started: when the process began (seconds since 1970), which tells it from a later one of the same number.
        folder: where its data are.
        token: the owner's.
    """

    url: str
    pid: int
    started: float
    folder: str
    token: str = field(repr=False)

    @property
    def access(self) -> Access:
        """Address and owner's token."""
        return Access(self.url, self.token)

    @property
    def accounts(self) -> Accounts:
        """The owner's and the annotators' accounts."""
        return Accounts(Path(self.folder) / "accounts.json")


def default_folder() -> Path:
    """Where a server's data are unless a folder is given: among the user's data."""
    return platformdirs.user_data_path("pizhu") / "label-studio"


def start(
    folder: str | Path | None = None,
    *,
    environment: str | Path | None = None,
    port: int | None = None,
    annotators: Iterable[tuple[str, str | None]] = (),
    progress: Progress = silent,
) -> Server:
    """Start Label Studio, installing it first where need be, and give the annotators accounts.

    A server that already runs on the folder is returned as it is, new annotators added.

    Args:
        folder: the server's data; made when missing.
        environment: the virtual environment that holds Label Studio, see :func:`ensure_environment`.
        port: on 127.0.0.1; a free one is chosen when None.
        annotators: names and, where known, emails; see :func:`.accounts.read_people`.
        progress: told the seconds that the start takes.

    Raises:
        LabelingError: the port is taken, the server ends or does not answer in time, or refuses an account.
    """
    folder = (Path(folder) if folder is not None else default_folder()).absolute()
    server = running(folder)
    if server is None:
        port = _port(port)  # a taken one is told before anything is installed
        server = _launch(folder, ensure_environment(environment, progress), port, progress)
    elif port is not None and server.url != f"http://{HOST}:{port}":
        raise LabelingError(f"Label Studio already runs on {folder} at {server.url}; stop it to change the port")
    server.accounts.ensure(server.access, annotators)
    return server


def running(folder: str | Path | None = None) -> Server | None:
    """The server that runs on ``folder``, or None."""
    path = _state_file(folder)
    if not path.exists():
        return None
    try:
        server = Server(**json.loads(read_private(path)))
    except (ValueError, TypeError):
        raise LabelingError(f"{path} is damaged; remove it, and stop Label Studio by hand if it runs") from None
    return server if _alive(server) else None


def healthy(url: str) -> bool:
    """Whether Label Studio answers there."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health", timeout=5) as answer:
            return bool(json.loads(answer.read()).get("status") == "UP")
    except (OSError, ValueError, AttributeError, urllib.error.URLError):
        return False


def stop(folder: str | Path | None = None) -> bool:
    """End the server on ``folder``; whether there was one."""
    import psutil

    server = running(folder)
    if server is not None:
        process = psutil.Process(server.pid)
        process.terminate()
        _, alive = psutil.wait_procs([process], timeout=20)
        for stubborn in alive:
            stubborn.kill()
        if child := _children.pop(server.pid, None):
            child.wait()
    _state_file(folder).unlink(missing_ok=True)
    return server is not None


def wait(server: Server) -> None:
    """Return when the server has ended."""
    while _alive(server):
        time.sleep(1)


def _launch(folder: Path, command: Path, port: int, progress: Progress) -> Server:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # the database holds tokens
    first = not (folder / "data" / "label_studio.sqlite3").exists()
    owner = Accounts(folder / "accounts.json").owner
    url = f"http://{HOST}:{port}"
    data = str(folder / "data")
    arguments = ["start", "--no-browser", "--data-dir", data, "--internal-host", HOST, "--port", str(port)]
    # The log shows addresses that were asked for, so it is private too.
    with open(folder / "server.log", "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
        process = subprocess.Popen(
            [str(command), *arguments],
            env=_environ(folder, owner),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl+C is for this process; it stops the server in good order
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    _children[process.pid] = process
    server = Server(url, process.pid, _birth(process.pid) or 0.0, str(folder), owner.token)
    write_private(_state_file(folder), json.dumps(asdict(server), ensure_ascii=False, indent=1) + "\n")
    try:
        _await_health(server, process, first, progress)
    except BaseException:
        stop(folder)
        raise
    return server


def _await_health(server: Server, process: subprocess.Popen[bytes], first: bool, progress: Progress) -> None:
    what = "Starting Label Studio" + (" (the first start makes the database: 1 to 2 minutes)" if first else "")
    begun = time.monotonic()
    while not healthy(server.url):
        elapsed = time.monotonic() - begun
        progress(what, elapsed)
        if process.poll() is not None:
            raise LabelingError(f"Label Studio ended while starting; see {Path(server.folder) / 'server.log'}")
        if elapsed > START_LIMIT:
            raise LabelingError(f"Label Studio did not answer within {START_LIMIT:.0f} seconds; see its server.log")
        time.sleep(0.5)


def _environ(folder: Path, owner: Account) -> dict[str, str]:
    """The server's environment: of the user's only what programs need, since Label Studio reads USERNAME, DEBUG…"""
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "PYTHONUTF8": "1",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"),
        "LABEL_STUDIO_USERNAME": owner.email,
        "LABEL_STUDIO_PASSWORD": owner.password,
        "LABEL_STUDIO_USER_TOKEN": owner.token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        # An office without internet: nothing is asked for or sent.
        "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
        "LABEL_STUDIO_SENTRY_DSN": "",
        "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
        # A prediction service on this machine may be asked.
        "LABEL_STUDIO_ML_BLOCK_LOCAL_IP": "false",
        "LABEL_STUDIO_SSRF_PROTECTION_ENABLED": "false",
    }


def _port(wanted: int | None) -> int:
    """``wanted`` if it is free (Label Studio would take the next one without a word), or a free one."""
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere the option would let a taken port pass
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except (OSError, OverflowError):
            raise LabelingError(f"port {wanted} of {HOST} is taken or not allowed; choose another") from None
        return int(probe.getsockname()[1])


def _state_file(folder: str | Path | None) -> Path:
    return (Path(folder) if folder is not None else default_folder()).absolute() / "server.json"


def _birth(pid: int) -> float | None:
    """When the process began; None where there is none any more."""
    try:
        import psutil
    except ImportError:
        raise MissingExtraError("Label Studio", "label") from None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def _alive(server: Server) -> bool:
    birth = _birth(server.pid)
    return birth is not None and abs(birth - server.started) < 2
