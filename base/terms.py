"""What connections to a service are granted."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .errors import ConfigError


@dataclass(frozen=True)
class Terms:
    """How many connections there may be, and how slow each.

    Attributes:
        connections: at one time; fewer where the system gives the process few open files.
        per_address: of them from one address (IPv6: one network of 64 bits).
        patience: seconds in which the headers of a request must come; a body, and an answer that is taken, get as long
            before ``pace`` counts.
        pace: bytes a second that they must make from then on.
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
