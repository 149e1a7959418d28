"""Processes that outlive the command which started them; their environment identifies them later."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ...base.errors import MissingExtraError
from ...base.files import lock

# Processes that this process started: it must wait for them after stopping them, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


@contextmanager
def claim(path: Path) -> Iterator[IO[str]]:
    """Lock the file ``path``; a process launched with it keeps the lock, where the system allows that.

    Raises:
        BlockingIOError: another process holds the lock.
    """
    with path.open("a", encoding="utf-8") as file:
        lock(file)
        yield file


def launch(command: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path, held: IO[str]) -> int:
    """Start ``command`` in ``folder``, with its output appended to ``log`` (private); returns its process id.

    Args:
        command, environ, folder, log: see above.
        held: the locked file from :func:`claim`. The process holds the lock until it ends, except on Windows, where
            locks cannot be inherited.
    """
    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl+C must reach only this process, which stops the server properly
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            pass_fds=() if sys.platform == "win32" else (held.fileno(),),
        )
    _children[process.pid] = process
    return process.pid


def end(pid: int) -> None:
    """Ask the process to end, and kill it if it does not within 20 seconds."""
    import psutil

    process = psutil.Process(pid)
    process.terminate()
    _, alive = psutil.wait_procs([process], timeout=20)
    for stubborn in alive:
        stubborn.kill()
    if child := _children.pop(pid, None):
        child.wait()


def environment(pid: int) -> Mapping[str, str] | None:
    """The environment of the process with that id; None if there is no such process or it is another user's."""
    try:
        import psutil
    except ImportError:
        raise MissingExtraError("Label Studio", "label") from None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.environ()
    except (psutil.Error, OSError, ValueError, OverflowError):  # the last two: no process can have such an id
        return None
