"""Processes that outlive the command which started them, known again by what they were started with."""

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

# Processes started by this Python: they are waited for after they are stopped, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


@contextmanager
def claim(path: Path) -> Iterator[IO[str]]:
    """Hold the file ``path``, for a process to be launched with: where the system allows, it goes on holding it.

    Raises:
        BlockingIOError: another process holds it.
    """
    with path.open("a", encoding="utf-8") as file:
        lock(file)
        yield file


def launch(command: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path, held: IO[str]) -> int:
    """Start ``command`` in ``folder``, its output appended to ``log`` (private); its number.

    Args:
        command, environ, folder, log: as said.
        held: what :func:`claim` gave. The process holds it until its end, except on Windows, where locks cannot be
            handed on.
    """
    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl+C is for this process; it stops the server in good order
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            pass_fds=() if sys.platform == "win32" else (held.fileno(),),
        )
    _children[process.pid] = process
    return process.pid


def end(pid: int) -> None:
    """Ask the process to end, and end it if it does not within 20 seconds."""
    import psutil

    process = psutil.Process(pid)
    process.terminate()
    _, alive = psutil.wait_procs([process], timeout=20)
    for stubborn in alive:
        stubborn.kill()
    if child := _children.pop(pid, None):
        child.wait()


def environment(pid: int) -> Mapping[str, str] | None:
    """What the process of that number was started with; None where there is none any more, or it is another user's."""
    try:
        import psutil
    except ImportError:
        raise MissingExtraError("Label Studio", "label") from None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.environ()
    except (psutil.Error, OSError, ValueError, OverflowError):  # the last two: no process has such a number
        return None
