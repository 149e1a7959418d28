"""The service's secret. Label Studio sends it as the password of HTTP basic authentication."""

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
    """Read the secret from a private file; if the file is missing, generate a secret and write it there.

    Raises:
        LabelingError: others can read the file, or the secret is too short or cannot be sent in a header.
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
    """The secret that is valid for the webhook only, since every user of Label Studio can read a webhook's headers."""
    return hmac.new(secret.encode(), b"pizhu webhook", hashlib.sha256).hexdigest()


def authorizes(authorization: str | None, secret: str) -> bool:
    """Whether an Authorization header (basic with any user name, or bearer) holds ``secret``; in constant time."""
    scheme, _, value = (authorization or "").partition(" ")
    sent = value.strip().encode("utf-8", "replace")
    if scheme.lower() == "basic":
        try:
            sent = base64.b64decode(sent, validate=True).partition(b":")[2]
        except binascii.Error:
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(sent, secret.encode())
