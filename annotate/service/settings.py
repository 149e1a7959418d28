"""The service's settings and its secret."""

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
"""Smaller than the limits of a batch run: one upload must not delay all others."""


@dataclass(frozen=True)
class Settings:
    """The settings of the service.

    Attributes:
        limits: limits for one report.
        seconds: how long a request may take, upload included.
        max_requests: the most requests in flight at one time; further ones get status 503.
        batch: how many sentences are annotated together, from any number of requests.
        readers: how many files are read at one time, each by its own process.
        slow_readers: how many more files may be read that have taken over a second, so that they do not delay others.
        names: host names of the service besides this machine's name and addresses; see :mod:`...base.origins`.
        terms: limits for connections, before their requests are read.
        secret: the secret that requests must send; None if they need none.

    Raises:
        ConfigError: a number is not above 0, or a name is not a host name.
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
    """The secret in ``file``, which only its owner may read; without a file, in ``PIZHU_SERVE_SECRET``; else None.

    Raises:
        ConfigError: the secret is too short or cannot be sent in a header.
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
