"""How a long step tells where it is, whoever shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with what is being done, how much of it is done and, where it is known, how much there is."""

    def __call__(self, what: str, done: float, total: float | None = None, /) -> None: ...


def silent(what: str, done: float, total: float | None = None, /) -> None:
    """Show nothing."""
