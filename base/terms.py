"""Limits on the connections to a service."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .errors import ConfigError


@dataclass(frozen=True)
class Terms:
    """How many connections may be open, and how slow each may be.

    Attributes:
        connections: the most at one time; fewer if the system gives the process few open files.
        per_address: the most from one address (IPv6: from one network of 64 bits).
        patience: seconds within which the headers of a request must arrive; ``pace`` counts only after as many seconds
            of a body, or of an answer that the client reads.
        pace: bytes a second that a body or an answer must make from then on.
    """

    connections: int = 500
    per_address: int = 125
    patience: float = 10.0
    pace: int = 1_000

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ConfigError(f"{field.name} is {getattr(self, field.name)}, expected a number above 0")


DEFAULT_TERMS = Terms()
