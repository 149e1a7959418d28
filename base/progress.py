"""How a long step reports its progress, whatever displays it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with the current step, how much of it is done and, if known, how much there is."""

    def __call__(self, what: str, done: float, total: float | None = None, /) -> None: ...


def silent(what: str, done: float, total: float | None = None, /) -> None:
    """Show nothing."""
