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
ELSEWHERE = ("192.0.2.1", 9)  # an address kept for documentation: asked for the way to it, never sent anything


def local_url(host: str, port: int) -> str:
    """The address by which programs on this machine reach a server that listens on ``host``."""
    return f"http://{LOOPBACK if host == '0.0.0.0' else host}:{port}"


def shared_url(host: str, port: int) -> str | None:
    """The address for other machines of a server that listens on ``host``; None where none of them reaches it."""
    if host == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback):
        return None
    return f"http://{_own_address() if host == '0.0.0.0' else host}:{port}"


def free_port(host: str, wanted: int | None, preferred: int | None = None) -> int:
    """``wanted`` if it is free (Label Studio would take the next one without a word), or a free one.

    Args:
        host: the address to listen on.
        wanted: the port that it must be, if any.
        preferred: the port that it should be where none must be.

    Raises:
        LabelingError: the port is taken, or ``host`` is no address of this machine.
    """
    if wanted is None and preferred is not None:
        with suppress(LabelingError):
            return free_port(host, preferred)
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere the option would let a taken port pass
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted or 0))
        except (OSError, OverflowError, UnicodeError) as error:
            if isinstance(error, (socket.gaierror, UnicodeError)) or getattr(error, "errno", 0) == errno.EADDRNOTAVAIL:
                raise LabelingError(
                    f"{host} is no address of this machine; give one of its IPv4 addresses, or 0.0.0.0 for all"
                ) from None
            raise LabelingError(f"port {wanted} of {host} is taken or not allowed; choose another") from None
        return int(probe.getsockname()[1])


def checked_origin(url: str) -> str:
    """``url`` without a final slash, if it is just scheme, host and port.

    Raises:
        LabelingError: it is not.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        parts = urlsplit("")
    rest = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc or "," in url or " " in url
    if parts.scheme not in ("http", "https") or not parts.hostname or rest:
        raise LabelingError("the public address must look like https://label.office.example or http://10.0.0.5:8080")
    return url.rstrip("/")


def opener() -> urllib.request.OpenerDirector:
    """Opens addresses of this machine: proxies of the environment do not lead to it."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _own_address() -> str:
    """The address of this machine on the network by which it would leave; its name where it has no such network."""
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
