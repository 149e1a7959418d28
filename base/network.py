"""Which addresses a server listens on, and what its users type to reach it."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import urllib.request
from contextlib import suppress
from urllib.parse import urlsplit

from .errors import LabelingError

LOOPBACK = "127.0.0.1"
ELSEWHERE = ("192.0.2.1", 9)  # reserved for documentation; only the route to it is looked up, nothing is sent


def local_url(host: str, port: int) -> str:
    """The address by which programs on this machine reach a server that listens on ``host``."""
    return f"http://{LOOPBACK if host == '0.0.0.0' else host}:{port}"


def shared_url(host: str, port: int) -> str | None:
    """The address by which other machines reach a server that listens on ``host``; None if they cannot."""
    if host == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback):
        return None
    return f"http://{_own_address() if host == '0.0.0.0' else host}:{port}"


def free_port(host: str, wanted: int | None, preferred: int | None = None) -> int:
    """``wanted`` if it is free (Label Studio would silently take the next one); without ``wanted``, a free port.

    Args:
        host: the address to listen on.
        wanted: the port that is required, if any.
        preferred: the port to choose, if it is free, where none is required.

    Raises:
        LabelingError: the port is taken, or ``host`` is not an address of this machine.
    """
    if wanted is None and preferred is not None:
        with suppress(LabelingError):
            return free_port(host, preferred)
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere the option would hide that a port is taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted or 0))
        except (OSError, OverflowError, UnicodeError) as error:
            if isinstance(error, (socket.gaierror, UnicodeError)) or getattr(error, "errno", 0) == errno.EADDRNOTAVAIL:
                raise LabelingError(
                    f"{host} is not an address of this machine; give one of its IPv4 addresses, or 0.0.0.0 for all"
                ) from None
            raise LabelingError(f"port {wanted} of {host} is taken or not allowed; choose another") from None
        return int(probe.getsockname()[1])


def checked_origin(url: str) -> str:
    """``url`` without a final slash, if it consists of scheme, host and port.

    Raises:
        LabelingError: it does not.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is not a number
    except ValueError:
        parts = urlsplit("")
    rest = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc or "," in url or " " in url
    if parts.scheme not in ("http", "https") or not parts.hostname or rest:
        raise LabelingError("the public address must look like https://label.office.example or http://10.0.0.5:8080")
    return url.rstrip("/")


def opener() -> urllib.request.OpenerDirector:
    """Opens addresses of this machine directly, whatever proxy the environment sets."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _own_address() -> str:
    """The address that this machine uses on its network; its name if it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
