"""Under which names a service is asked, and whether a page of its own asks: scheme, host and port compared whole."""

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
    """Where a page comes from; two are of one site if all three are the same."""

    scheme: str
    host: str
    port: int


def checked(name: str) -> str:
    """``name`` as browsers send it: in small letters, Chinese ones in ASCII.

    Raises:
        ConfigError: it is no host name; a whole URL is none.
    """
    try:
        found = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        found = ""
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", found):
        raise ConfigError(
            f"{name!r} is no host name; give it without http:// and port, for example report.office.example"
        )
    return found


def place(called: str) -> tuple[str, int | None]:
    """Host and port (None where it is the scheme's) of a Host header; an empty host where it is none."""
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
    """The origin that a browser names or that an address has; None where it is none (``null``, another scheme)."""
    scheme, _, rest = url.partition("://")
    host, port = place(rest)
    if scheme.lower() not in _PORTS or not host:
        return None
    return Origin(scheme.lower(), host, _PORTS[scheme.lower()] if port is None else port)


def answers_to(host: str, names: Collection[str]) -> bool:
    """Whether the service goes by ``host``: ``names``, any address, and what this machine calls itself.

    Whoever owns a name can have it point to this machine (DNS rebinding) and so make its pages the service's own.
    Nobody owns an address in that way, and ``localhost`` and the machine's name are not looked up abroad.
    """
    if host in names or host in ("localhost", socket.gethostname().lower()):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def own_page(headers: Mapping[str, str], names: Collection[str] = (), addresses: Collection[str] = ()) -> bool:
    """Whether a page of the service itself asks, or none.

    Args:
        headers: of the request, by names in small letters.
        names: by which a reverse proxy with TLS may be reached: there the pages are of ``https``.
        addresses: URLs by which the service is reached besides what the request was sent to.
    """
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    # Browsers say that over HTTPS and on this machine only; elsewhere they name where the page comes from.
    if (named := headers.get("origin")) is None:
        return True
    host, port = place(headers.get("host", ""))
    schemes = _PORTS if host in names else ("http",)
    own = {Origin(scheme, host, _PORTS[scheme] if port is None else port) for scheme in schemes if host}
    return origin(named) in own | {origin(url) for url in addresses} - {None}
