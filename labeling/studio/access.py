"""Where Label Studio is and which token to use; it comes from the environment or a private file, never an argument."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ...base.errors import LabelingError
from ...base.private import read_private

URL_VARIABLE = "PIZHU_LABEL_STUDIO_URL"
TOKEN_VARIABLE = "PIZHU_LABEL_STUDIO_TOKEN"


@dataclass(frozen=True)
class Access:
    """The address of a Label Studio server and the token of one of its users."""

    url: str
    token: str = field(repr=False)


def find_access(url: str | None = None, token_file: str | Path | None = None, served: Access | None = None) -> Access:
    """Decide which Label Studio to talk to.

    Args:
        url: its address; by default ``PIZHU_LABEL_STUDIO_URL`` from the environment, then ``served``.
        token_file: a file of mode 600 that holds a token; by default ``PIZHU_LABEL_STUDIO_TOKEN``, then the owner's
            token of ``served``, which is never sent to another address.
        served: the server that ``pizhu label serve`` started on this machine, if it runs.

    Raises:
        LabelingError: no address, no token, or a token file that others can read.
    """
    address = url or os.environ.get(URL_VARIABLE) or (served.url if served else None)
    if not address:
        raise LabelingError(
            f"no Label Studio is running here; start one with `pizhu label serve`, or give --url or {URL_VARIABLE}"
        )
    address = _checked_url(address)
    if token_file is not None:
        return Access(address, _checked_token(read_private(token_file), f"the token in {token_file}"))
    if token := os.environ.get(TOKEN_VARIABLE):
        return Access(address, _checked_token(token, f"the token in {TOKEN_VARIABLE}"))
    if served and served.url == address:
        return served
    raise LabelingError(f"no token for Label Studio at {address}; put one into {TOKEN_VARIABLE} or give --token-file")


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is not a number
    except ValueError:
        parts = urlsplit("")
    # A password in the address would appear in every message that shows the address.
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise LabelingError("the address of Label Studio must look like http://127.0.0.1:8080")
    return url.rstrip("/")


def _checked_token(text: str, what: str) -> str:
    token = text.strip()
    # Header values must be ASCII; the token itself stays out of the message.
    if not re.fullmatch(r"[!-~]+", token):
        raise LabelingError(f"{what} is not a Label Studio token: expected one line of letters, digits and signs")
    return token
