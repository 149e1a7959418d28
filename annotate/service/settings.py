"""What the service allows, and the secret that opens it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from ...base.errors import ConfigError
from ...base.limits import Limits
from ...base.origins import checked
from ...base.private import read_private
from ...base.terms import DEFAULT_TERMS, Terms

SECRET_VARIABLE = "PIZHU_SERVE_SECRET"

SERVICE_LIMITS = Limits(
    file_mb=20,
    expanded_mb=100,
    elements=400_000,
    characters=400_000,
    lines=60_000,
    seconds=30,
    read_seconds=60,
    cpu_seconds=30,
    memory_mb=1_000,
)
"""Smaller than those of a batch: one upload must not keep all others waiting."""


@dataclass(frozen=True)
class Settings:
    """What the service allows.

    Attributes:
        limits: what one report may ask for.
        seconds: how long a request may take in all, uploading included.
        max_requests: requests in flight at one time; more are answered with 503.
        batch: sentences that are annotated together, from as many requests as it takes.
        readers: files that are read at one time, by a process each.
        slow_readers: files that are read besides, once they have taken a second, so that they keep no others waiting.
        names: by which the service goes besides this machine's addresses and its own name; see :mod:`...base.origins`.
        terms: what connections are granted, before anything is known of their requests.
        secret: what requests must show, None where nothing is asked.
    """

    limits: Limits = SERVICE_LIMITS
    seconds: float = 120
    max_requests: int = 64
    batch: int = 512
    readers: int = 4
    slow_readers: int = 8
    names: tuple[str, ...] = ()
    terms: Terms = DEFAULT_TERMS
    secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("seconds", "max_requests", "batch", "readers", "slow_readers"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected a number above 0")
        object.__setattr__(self, "names", tuple(map(checked, self.names)))


def find_secret(file: Path | None = None) -> str | None:
    """The secret in ``file``, which must be its owner's alone, else in ``PIZHU_SERVE_SECRET``, else none.

    Raises:
        ConfigError: it is too short to be one, or cannot be sent in a header.
        LabelingError: the file is missing, or others can read it.
    """
    text = os.environ.get(SECRET_VARIABLE) if file is None else read_private(file)
    if text is None:
        return None
    where = f"in {SECRET_VARIABLE}" if file is None else f"in {file}"
    if not re.fullmatch(r"[!-~]{16,}", text.strip()):
        raise ConfigError(
            f"the secret {where} is not usable: expected one line of at least 16 letters, digits and signs"
        )
    return text.strip()
