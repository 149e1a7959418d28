"""What opens the service. Label Studio shows it as the password of HTTP basic authentication."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from pathlib import Path

from ...base.errors import LabelingError
from ...base.private import read_private, write_private

USER = "pizhu"


def ensure_secret(path: str | Path) -> str:
    """The secret in a private file, invented there when the file is missing.

    Raises:
        LabelingError: others can read the file, or what it holds is too short or cannot be sent in a header.
    """
    path = Path(path)
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24) + "\n")
    secret = read_private(path).strip()
    if not re.fullmatch(r"[!-~]{16,}", secret):
        raise LabelingError(
            f"{path} holds no usable secret: expected one line of at least 16 letters, digits and signs"
        )
    return secret


def event_secret(secret: str) -> str:
    """What a webhook shows instead: Label Studio lets every user read its headers, so it opens nothing else."""
    return hmac.new(secret.encode(), b"pizhu webhook", hashlib.sha256).hexdigest()


def shows(authorization: str | None, secret: str) -> bool:
    """Whether an Authorization header (basic, any user name, or bearer) shows ``secret``; in constant time."""
    scheme, _, value = (authorization or "").partition(" ")
    shown = value.strip().encode("utf-8", "replace")
    if scheme.lower() == "basic":
        try:
            shown = base64.b64decode(shown, validate=True).partition(b":")[2]
        except binascii.Error:
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(shown, secret.encode())
