"""Folders that are whole or absent: written under a temporary name, then put in place in one step.

While a writer works, hidden entries lie beside the folder NAME: ``.NAME.PID.part`` is the new folder, ``.NAME.PID.old``
the previous one, where the system cannot swap the two, and ``.NAME.lock`` is held by the process that has
:func:`reserved` the folder. So the next process to reserve it knows that the others belong to killed processes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from .files import locked, rename, to_disk

_PAUSE = 0.02
_BETWEEN_RENAMES = 2.0
"""Seconds that a reader waits while a writer is between its two renames, which take an instant."""


@contextmanager
def reserved(folder: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Hold a lock on ``folder`` for writing, waiting up to ``patience`` seconds if another process holds it.

    Leftovers of killed writers are cleaned up first: a folder that was moved aside is put back, the rest is removed.

    Raises:
        BlockingIOError: another process holds it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(locked(_beside(folder, "lock")))
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise
            time.sleep(_PAUSE)
        _bring_back(folder)
        for left in _left(folder):
            shutil.rmtree(left, ignore_errors=True)
        yield


def restore(folder: Path) -> None:
    """Put ``folder`` back, before it is read, if its writer was killed between two renames."""
    until = time.monotonic() + _BETWEEN_RENAMES
    while not folder.exists() and any(left.suffix == ".old" for left in _left(folder)):
        try:
            with locked(_beside(folder, "lock")):
                _bring_back(folder)
        except BlockingIOError:  # the writer is still running
            if time.monotonic() < until:
                time.sleep(_PAUSE)
                continue
        except OSError:  # we may not write there
            pass
        return


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A new folder to write to, which replaces ``folder`` when the block succeeds and is removed when the block fails.

    After a kill at any moment the old folder or the new one is there; see :func:`restore`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(folder, f"{os.getpid()}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        for path in beside.rglob("*"):
            if path.is_file():
                to_disk(path)
        _entries_to_disk(beside)
        _swap(beside, folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _swap(beside: Path, folder: Path) -> None:
    """Put ``beside`` in the place of ``folder`` and delete the old contents."""
    if not folder.exists():
        rename(beside, folder)
        _entries_to_disk(folder.parent)
        return
    old = beside
    if not _exchanged(beside, folder):
        # A folder cannot be renamed over a full one, so the old one is moved aside.
        old = _beside(folder, f"{os.getpid()}.old")
        rename(folder, old)
        try:
            rename(beside, folder)
        except BaseException:
            rename(old, folder)
            raise
    _entries_to_disk(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step, as Linux can on most file systems; False where that is not possible."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def _entries_to_disk(folder: Path) -> None:
    """Force the names in ``folder`` to disk, where the system supports it."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system supports it
            os.fsync(handle)
    finally:
        os.close(handle)


def _bring_back(folder: Path) -> None:
    aside = [left for left in _left(folder) if left.suffix == ".old"]
    if aside and not folder.exists():
        rename(max(aside, key=lambda left: left.stat().st_mtime), folder)


def _left(folder: Path) -> list[Path]:
    """The entries that writers of ``folder`` have left beside it."""
    name = re.compile(rf"\.{re.escape(folder.name)}\.[0-9]+\.(part|old)")
    try:
        return [
            path
            for path in folder.parent.iterdir()
            if name.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
        ]
    except OSError:
        return []


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f".{folder.name}.{what}")
