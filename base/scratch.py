"""Temporary folders that are always removed: if a process is killed, the next one removes its folder.

Each process holds a lock on a file beside its folder. The system releases it however the process ends, so a lock that
is free means that nobody uses the folder any more.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .files import locked

_PREFIX = "pizhu-scratch-"


@contextmanager
def scratch() -> Iterator[Path]:
    """A new temporary folder that only its owner can read, removed when the block ends."""
    folder = Path(tempfile.gettempdir(), _PREFIX + secrets.token_hex(8))
    with locked(folder.with_suffix(".lock")):
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove the temporary folders of processes that were killed."""
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*.lock"):
        with suppress(OSError):  # its process is running, or it belongs to another user
            if _own(lock):
                with locked(lock):
                    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)


def _own(path: Path) -> bool:
    """Whether a file belongs to this user: others may put a link of that name in a folder that all may write to."""
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and (os.name != "posix" or found.st_uid == os.geteuid())
