"""Temporary folders that outlive nobody: what a killed process leaves, the next one removes.

Beside each folder lies a lock that its process holds. The system lets go of it however the process ends, so a lock that
can be taken says that nobody uses the folder any more.
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
        with suppress(OSError):  # its process lives, or it is another user's
            if _own(lock):
                with locked(lock):
                    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)


def _own(path: Path) -> bool:
    """Whether it is a file of this user's: where all may write, others may put a link of that name."""
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and (os.name != "posix" or found.st_uid == os.geteuid())
