"""Runs a service in this process until it is stopped."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import ConfigError
from .network import shared_url
from .terminal import Visible, crashed
from .terms import DEFAULT_TERMS

if TYPE_CHECKING:
    from fastapi import FastAPI

_BACKLOG = 256
"""Connections that wait in the system's queue."""
_AT_ONCE = 8
"""Connections that are accepted before any is checked; asyncio takes this number from the backlog."""
_LOG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"visible": {"()": Visible}},
    "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "visible", "level": "ERROR"}},
    "root": {"handlers": ["errors"], "level": "WARNING"},
}


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on ``host`` (a name or an address) and ``port`` (0 takes a free one).

    Raises:
        ConfigError: the port is taken or not allowed, or there is no such host.
    """
    if not 0 <= port < 2**16:
        raise ConfigError(f"port {port} of {host} cannot be used (ports end at 65535); choose another with --port")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError):
        raise ConfigError(f"{host!r} is not an address of this machine; give one of its own, or 127.0.0.1") from None
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: there the other option would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"port {port} of {host} cannot be used ({reason}); choose another with --port") from None
    return listening


def is_local(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address(listening: socket.socket) -> str:
    """The URL of the listening socket, for other machines if they can reach it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        return str(shared_url("0.0.0.0", port))
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run(app: FastAPI, listening: socket.socket, seconds: float, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or Ctrl+C; then accept nothing new, finish open requests (within ``seconds``) and return.

    ``app.state.terms``, if set, replaces the usual limits on connections. Errors are logged to standard error; nothing
    else is logged.
    """
    import uvicorn

    from .connections import Connection, ConnectionTable

    class Guarded(Connection):
        table = ConnectionTable(getattr(app.state, "terms", DEFAULT_TERMS))

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                listening.listen(_BACKLOG)
                self.watch = asyncio.create_task(Guarded.table.watch())
                ready()

    config = uvicorn.Config(
        app,
        http=Guarded,
        backlog=_AT_ONCE,
        log_config=_LOG,
        access_log=False,  # names of files are private
        server_header=False,
        proxy_headers=False,  # nothing here needs the client's address
        timeout_graceful_shutdown=int(seconds) + 1,
        ws="none",
    )
    hook = threading.excepthook
    threading.excepthook = lambda given: crashed(given.exc_type, given.exc_value, given.exc_traceback)
    # uvicorn raises the signals again once it has stopped; they have had their effect already.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        Server(config).run(sockets=[listening])
    finally:
        threading.excepthook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
        listening.close()
