"""Which names the service answers to, so that pages of other sites do not come in under theirs."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from ...base.errors import ConfigError


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


def hostname(url: str) -> str:
    """The host in ``url`` or ``//host:port``, empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


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
