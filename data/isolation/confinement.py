"""The state of a reading process: what it may use while it reads, and what it leaves behind.

None of this applies in a program that reads files itself.
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
    """Turn this process into a reading process."""
    global _begun
    _begun = True
    system.prepare()
    _die_with_parent(True)


def is_begun() -> bool:
    """Whether this is a reading process; if so, its end also ends what it has started."""
    return _begun


def scratch() -> Path | None:
    """The folder for temporary files, which is removed after the process has ended; None for the system's folder."""
    global _scratch
    if _begun and _scratch is None:
        _scratch = _left_behind.enter_context(new_scratch())
    return _scratch


@contextmanager
def reading(limits: Limits) -> Iterator[None]:
    """While the block runs, one file is read, within ``limits``."""
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
def external_program() -> Iterator[None]:
    """While the block runs, this process waits for a program that has limits of its own."""
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
    """End this process and what it has started, and remove its temporary files."""
    _left_behind.close()
    system.end()


def _leave_tidily() -> None:
    """If there are temporary files, have a thread remove them when the program ends; a kill by the system would not.

    Not while a file is read, since the reader may keep all threads from running.
    """
    if _scratch is not None:
        _die_with_parent(False)


def _die_with_parent(yes: bool) -> None:
    global _dies_with_parent
    if yes != _dies_with_parent:
        system.die_with_parent(yes)
        _dies_with_parent = yes
