"""Processes that outlive the command which started them, found again by number and time of birth."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...base.errors import MissingExtraError

# Processes started by this Python: they are waited for after they are stopped, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


def launch(command: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path) -> tuple[int, float]:
    """Start ``command`` in ``folder``, its output appended to ``log`` (private); its number and :func:`birth`."""
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
        )
    _children[process.pid] = process
    return process.pid, birth(process.pid) or 0.0


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


def alive(pid: int, started: float) -> bool:
    """Whether the process of that number is still the one that began at ``started`` (seconds since 1970)."""
    began = birth(pid)
    return began is not None and abs(began - started) < 2


def birth(pid: int) -> float | None:
    """When the process began; None where there is none any more."""
    try:
        import psutil
    except ImportError:
        raise MissingExtraError("Label Studio", "label") from None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None
