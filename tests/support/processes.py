"""Finds processes, and waits for them to start or end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait at most half a minute for ``what``."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)


def gone(*numbers: int) -> bool:
    """Whether these processes have ended."""

    def ended(number: int) -> bool:
        try:
            if psutil.Process(number).status() != psutil.STATUS_ZOMBIE:
                return False
            # The main thread of a killed process is a zombie while other threads end; nobody can wait for it yet.
            return sum(1 for _ in Path(f"/proc/{number}/task").glob("*")) <= 1
        except (psutil.NoSuchProcess, OSError):
            return True

    return all(map(ended, numbers))


def busy(parent: int) -> bool:
    """Whether a reader process below ``parent`` has been busy with a file for a while, waiting or computing."""
    for child in psutil.Process(parent).children(recursive=True):
        try:
            since = time.time() - child.create_time()
            if since > 3 and (child.status() != psutil.STATUS_RUNNING or child.cpu_times().user > 1):
                return True
        except psutil.NoSuchProcess:
            continue
    return False
