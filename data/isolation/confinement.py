"""The state of a reading process: what it may use while it reads, and what it leaves behind.

In a program that reads by itself none of this is in force.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...base.limits import Limits
from .system import system

_scratch: Path | None = None
_limits: Limits | None = None
_dies_with_parent = False


def begin(scratch: Path) -> None:
    """Make this a reading process, whose temporary files lie in ``scratch``, which is not made before it is needed."""
    global _scratch
    _scratch = scratch
    system.settle()
    _die_with_parent(True)


def is_begun() -> bool:
    """Whether this is a reading process, which is ended together with what it starts."""
    return _scratch is not None


def scratch() -> Path | None:
    """The folder for temporary files, None for that of the system."""
    if _scratch is not None:
        _scratch.mkdir(mode=0o700, exist_ok=True)
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
    if _scratch is not None:
        shutil.rmtree(_scratch, ignore_errors=True)
    system.end()


def _leave_tidily() -> None:
    """Where there are files, have a thread remove them at the program's end: the system's kill would leave them.

    Not while a file is read, which may keep all threads from running.
    """
    if _scratch is not None and _scratch.exists():
        _die_with_parent(False)


def _die_with_parent(yes: bool) -> None:
    global _dies_with_parent
    if yes != _dies_with_parent:
        system.die_with_parent(yes)
        _dies_with_parent = yes
