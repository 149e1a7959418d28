"""Linux, macOS and similar: sets the limits of a reading process, and ends it with all that it has started."""

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

# From outside, in the program that uses the process.

OPTIONS: dict[str, Any] = {"start_new_session": True}
"""Arguments of ``Popen``: a process group of its own, which Ctrl-C does not reach and which can be ended as a whole."""


class ProcessTree:
    """A process and the processes that it has started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def alive(self) -> bool:
        """Whether the process runs; it is not reaped, so that its number is not given to another."""
        try:
            how = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._process.pid, how) is None
        except ChildProcessError:
            return False

    def kill(self) -> None:
        """End them all at once; the process must not have been waited for yet."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def lower(self) -> None:
        """Lower their priority."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PGRP, self._process.pid, 10)

    def close(self) -> None:
        """Release resources after the process has ended."""


def ran_out_of_time(status: int) -> bool:
    """Whether a process with this exit status has used up its processor time."""
    return status == -signal.SIGXCPU


# From inside, in the reading process.

LIMITS_MEMORY = sys.platform != "darwin"
"""Whether the system enforces the limit on memory."""


def prepare() -> None:
    """Before the first file: make sure that a crash leaves no core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit(limits: Limits) -> None:
    """Set the limits of this process for one file; the processes that it starts inherit them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_seconds)
    _set_limit(resource.RLIMIT_AS, _pages(0) * resource.getpagesize() + limits.memory_mb * 2**20)
    _set_limit(resource.RLIMIT_FSIZE, (limits.file_mb + limits.expanded_mb) * 2**20)


def lift() -> None:
    """Lift the limits on memory and processor time, up to the system's own."""
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU):
        most = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most, most))


def die_with_parent(yes: bool) -> None:
    """Have the system kill this process when the thread that started it ends (Linux only)."""
    if sys.platform == "linux":
        set_signal_at_death_of_parent = 1
        ctypes.CDLL(None).prctl(set_signal_at_death_of_parent, signal.SIGKILL if yes else 0, 0, 0, 0)
        if yes and os.getppid() != _PARENT:  # the parent has ended already
            end()


def wait_for_end_of(answers: int) -> None:
    """Wait until nobody reads the pipe with the file descriptor ``answers`` any longer."""
    watch = select.poll()
    watch.register(answers, 0)  # a broken pipe is reported for any mask
    watch.poll()


def end() -> None:
    """End this process at once, with what it has started."""
    os.killpg(0, signal.SIGKILL)


def resident_mb() -> int:
    """The memory that this process uses, in MiB; 0 if the system does not report it."""
    return _pages(1) * resource.getpagesize() // 2**20


_PARENT = os.getppid()


def _set_limit(kind: int, wanted: int) -> None:
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    with suppress(OSError, ValueError):  # the system may not have this limit
        resource.setrlimit(kind, (wanted, most))


def _pages(which: int) -> int:
    """A number from Linux's statm: pages of address space (0), pages of resident memory (1)."""
    try:
        return int(os.pread(_statm(), 100, 0).split()[which])
    except OSError:
        return 0


@cache
def _statm() -> int:
    return os.open("/proc/self/statm", os.O_RDONLY)
