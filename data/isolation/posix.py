"""Linux, macOS and their like: what a reading process may use, and how it is ended with all that it started."""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from typing import Any

from ...base.limits import Limits

# From outside, in the program that has files read.

OPTIONS: dict[str, Any] = {"start_new_session": True}
"""Of ``Popen``: a group of its own, which Ctrl-C in a terminal passes by and which can be ended as a whole."""


class Family:
    """A process and what it started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def alive(self) -> bool:
        """Whether the process runs; it stays known to the system, so that nothing else gets its number."""
        try:
            how = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._process.pid, how) is None
        except ChildProcessError:
            return False

    def kill(self) -> None:
        """End them all, whatever they do; the process must not have been waited for yet."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def lower(self) -> None:
        """Let others have the processor first."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PGRP, self._process.pid, 10)

    def close(self) -> None:
        """It has ended."""


def ran_out_of_time(status: int) -> bool:
    """Whether a process that ended so had used its processor time up."""
    return status == -signal.SIGXCPU


# From inside, in the reading process.

LIMITS_MEMORY = sys.platform != "darwin"
"""Whether the system refuses memory over the limit."""


def settle() -> None:
    """Before the first file: no picture of the memory is left behind by a crash."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit(limits: Limits) -> None:
    """Bound what this process may use from now on for one file. What it starts inherits that."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_seconds)
    _lower(resource.RLIMIT_AS, _pages(0) * resource.getpagesize() + limits.memory_mb * 2**20)
    _lower(resource.RLIMIT_FSIZE, (limits.file_mb + limits.expanded_mb) * 2**20)


def lift() -> None:
    """Bound neither memory nor processor time any more, but for what the system bounds."""
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU):
        most = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most, most))


def die_with_parent(yes: bool) -> None:
    """Have the system kill this process when the thread that started it ends; known to Linux alone."""
    if sys.platform == "linux":
        set_signal_at_death_of_parent = 1
        ctypes.CDLL(None).prctl(set_signal_at_death_of_parent, signal.SIGKILL if yes else 0, 0, 0, 0)
        if yes and os.getppid() != _PARENT:  # it ended before
            end()


def wait_for_end_of(answers: int) -> None:
    """Wait until nobody reads the pipe with the number ``answers`` any more."""
    watch = select.poll()
    watch.register(answers, 0)  # that it is broken is told without asking
    watch.poll()


def end() -> None:
    """End this process at once with what it started."""
    os.killpg(0, signal.SIGKILL)


def resident_mb() -> int:
    """The memory that this process holds, in MiB; 0 where the system does not tell."""
    return _pages(1) * resource.getpagesize() // 2**20


_PARENT = os.getppid()


def _lower(kind: int, wanted: int) -> None:
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    with suppress(OSError, ValueError):  # where the system knows no such limit
        resource.setrlimit(kind, (wanted, most))


def _pages(which: int) -> int:
    """Of what Linux tells of this process: pages of addresses (0), pages of memory (1)."""
    try:
        return int(os.pread(_statm(), 100, 0).split()[which])
    except OSError:
        return 0


@cache
def _statm() -> int:
    return os.open("/proc/self/statm", os.O_RDONLY)
