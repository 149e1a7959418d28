"""Checks the name a service was called by and the page a request comes from: scheme, host and port must match."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection, Mapping
from typing import NamedTuple

from .errors import ConfigError

_PORTS = {"http": 80, "https": 443}
_PLACE = re.compile(r"(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)(?::(\d{0,5}))?", re.IGNORECASE | re.ASCII)


class Origin(NamedTuple):
    """The origin of a page; two pages are of one site if all three fields are equal."""

    scheme: str
    host: str
    port: int


def checked(name: str) -> str:
    """``name`` as browsers send it: in lower case, Chinese names in ASCII.

    Raises:
        ConfigError: it is not a host name, for example a whole URL.
    """
    try:
        found = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        found = ""
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", found):
        raise ConfigError(
            f"{name!r} is not a host name; give it without http:// and port, for example report.office.example"
        )
    return found


def host_and_port(called: str) -> tuple[str, int | None]:
    """Host and port (None for the scheme's own) of a Host header; the host is empty if the header is malformed."""
    found = _PLACE.fullmatch(called)
    if found is None:
        return "", None
    host = found[1].lower()
    try:
        host = str(ipaddress.ip_address(host.strip("[]")))  # an address can be written in several ways
    except ValueError:
        if host.startswith("["):
            return "", None
    return host, int(found[2]) if found[2] else None


def origin(url: str) -> Origin | None:
    """The origin that a browser names or that a URL has; None if there is none (``null``, another scheme)."""
    scheme, _, rest = url.partition("://")
    host, port = host_and_port(rest)
    if scheme.lower() not in _PORTS or not host:
        return None
    return Origin(scheme.lower(), host, _PORTS[scheme.lower()] if port is None else port)


def accepts_host(host: str, names: Collection[str]) -> bool:
    """Whether the service accepts ``host``: one of ``names``, any IP address, or this machine's own names.

    The owner of a domain name can point it to this machine (DNS rebinding) and so make their pages look like the
    service's own. An IP address has no such owner, and ``localhost`` and the machine's name are not looked up outside.
    """
    if host in names or host in ("localhost", socket.gethostname().lower()):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def own_page(headers: Mapping[str, str], names: Collection[str] = (), addresses: Collection[str] = ()) -> bool:
    """Whether the request comes from one of the service's own pages, or from no page.

    Args:
        headers: the request's headers, names in lower case.
        names: host names of a reverse proxy with TLS, whose pages have ``https``.
        addresses: URLs of the service besides the one that the request was sent to.
    """
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    # Browsers send that header over HTTPS and to this machine only; elsewhere they send the page's origin.
    if (named := headers.get("origin")) is None:
        return True
    host, port = host_and_port(headers.get("host", ""))
    schemes = _PORTS if host in names else ("http",)
    own = {Origin(scheme, host, _PORTS[scheme] if port is None else port) for scheme in schemes if host}
    return origin(named) in own | {origin(url) for url in addresses} - {None}
