"""The state of a reading process: what it may use while it reads, and what it leaves behind.

In a program that reads by itself none of this is in force.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ...base.limits import Limits
from ...base.scratch import scratch as new_scratch
from .system import system

_begun = False
_scratch: Path | None = None
_left_behind = ExitStack()
_limits: Limits | None = None
_dies_with_parent = False


def begin() -> None:
    """Make this a reading process."""
    global _begun
    _begun = True
    system.settle()
    _die_with_parent(True)


def is_begun() -> bool:
    """Whether this is a reading process, which is ended together with what it starts."""
    return _begun


def scratch() -> Path | None:
    """The folder for temporary files, which is removed after the process; None for that of the system."""
    global _scratch
    if _begun and _scratch is None:
        _scratch = _left_behind.enter_context(new_scratch())
    return _scratch


@contextmanager
def reading(limits: Limits) -> Iterator[None]:
    """The time in which one file is read, within ``limits``."""
    global _limits
    _limits = limits
    system.limit(limits)
    _die_with_parent(True)
    try:
        yield
    finally:
        _limits = None
        system.lift()
        _leave_tidily()


@contextmanager
def another_program() -> Iterator[None]:
    """The time in which this process waits for a program that has limits of its own."""
    if _limits is None:
        yield
        return
    limits = _limits
    system.lift()
    _leave_tidily()
    try:
        yield
    finally:
        system.limit(limits)
        _die_with_parent(True)


def end() -> None:
    """End this process and what it started, and remove what it left."""
    _left_behind.close()
    system.end()


def _leave_tidily() -> None:
    """Where there are files, have a thread remove them at the program's end: the system's kill would leave them.

    Not while a file is read, which may keep all threads from running.
    """
    if _scratch is not None:
        _die_with_parent(False)


def _die_with_parent(yes: bool) -> None:
    global _dies_with_parent
    if yes != _dies_with_parent:
        system.die_with_parent(yes)
        _dies_with_parent = yes
