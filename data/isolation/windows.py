"""Windows: sets the limits of a reading process, and ends it with all that it has started, through job objects."""

from __future__ import annotations

import ctypes
import os
import subprocess
from ctypes import wintypes
from typing import Any

from ...base.limits import Limits

_KILL_ON_CLOSE, _PROCESS_TIME, _PROCESS_MEMORY, _NO_DIALOG = 0x2000, 0x2, 0x100, 0x400
_EXTENDED = 9  # JobObjectExtendedLimitInformation
_NO_WINDOW, _BELOW_NORMAL = 0x08000000, 0x4000
_SYNCHRONIZE, _FOR_EVER = 0x100000, 0xFFFFFFFF
_OUT_OF_QUOTA = 1816  # exit status of a process that has used up its time
_OWN = 2**28  # bytes; an idle reader uses less


class _Basic(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class _Extended(ctypes.Structure):
    _fields_ = (
        ("BasicLimitInformation", _Basic),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class Job:
    """A job object: its processes share limits and end when its last handle is closed."""

    def __init__(self) -> None:
        self._system = _kernel()
        self._handle = self._system.CreateJobObjectW(None, None)
        if not self._handle:
            raise _error()
        self.limit()

    def limit(self, memory: int = 0, seconds: float = 0.0) -> None:
        """Limit each of its processes to ``memory`` bytes and ``seconds`` since its start; 0 sets no limit."""
        wanted = _Extended()
        basic = wanted.BasicLimitInformation
        basic.LimitFlags = _KILL_ON_CLOSE | _NO_DIALOG
        if memory:
            basic.LimitFlags |= _PROCESS_MEMORY
            wanted.ProcessMemoryLimit = memory
        if seconds:
            basic.LimitFlags |= _PROCESS_TIME
            basic.PerProcessUserTimeLimit = int(seconds * 10_000_000)  # in steps of 100 ns
        size = ctypes.sizeof(wanted)
        if not self._system.SetInformationJobObject(self._handle, _EXTENDED, ctypes.byref(wanted), size):
            raise _error()

    def add(self, process: int) -> None:
        """Add the process with the handle ``process``."""
        if not self._system.AssignProcessToJobObject(self._handle, process):
            raise _error()

    def kill(self) -> None:
        """End all its processes."""
        self._system.TerminateJobObject(self._handle, 1)

    def close(self) -> None:
        """Close the handle, which ends the processes that are left."""
        self._system.CloseHandle(self._handle)


# From outside, in the program that uses the process.

OPTIONS: dict[str, Any] = {"creationflags": _NO_WINDOW}
"""Arguments of ``Popen``: no console, which would pass on Ctrl-C or open a window."""


class ProcessTree:
    """A process and the processes that it has started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._job = process, _job_of(_handle(process))

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End them all at once."""
        if self._job is not None:
            self._job.kill()
        self._process.kill()

    def lower(self) -> None:
        """Lower their priority."""
        _kernel().SetPriorityClass(_handle(self._process), _BELOW_NORMAL)

    def close(self) -> None:
        """Release resources after the process has ended."""
        if self._job is not None:
            self._job.close()


def ran_out_of_time(status: int) -> bool:
    """Whether a process with this exit status has used up its processor time."""
    return status == _OUT_OF_QUOTA


# From inside, in the reading process. Its job is nested in the program's job, and ends LibreOffice together with it.

LIMITS_MEMORY = True
"""Whether the system enforces the limit on memory; not if there is no job."""

_own: Job | None = None


def prepare() -> None:
    """Before the first file: no dialog after a crash, and a job for the processes that this one starts."""
    global _own, LIMITS_MEMORY
    system = _kernel()
    system.SetErrorMode(0x3)
    _own = _job_of(system.GetCurrentProcess())
    LIMITS_MEMORY = _own is not None


def limit(limits: Limits) -> None:
    """Set the limits of this process for one file."""
    if _own is not None:
        _own.limit(_OWN + limits.memory_mb * 2**20, os.times().user + limits.cpu_seconds)


def lift() -> None:
    """Lift the limits on memory and processor time."""
    if _own is not None:
        _own.limit()


def die_with_parent(yes: bool) -> None:
    """Nothing to do: the program holds the job of this process, and the job closes when the program ends."""


def wait_for_end_of(answers: int) -> None:
    """Wait until the process that started this one has ended."""
    system = _kernel()
    process = system.OpenProcess(_SYNCHRONIZE, False, os.getppid())
    if process:
        system.WaitForSingleObject(process, _FOR_EVER)


def end() -> None:
    """End this process at once; its job ends the processes that it has started."""
    os._exit(1)


def resident_mb() -> int:
    """The memory that this process uses, in MiB; not measured here."""
    return 0


def _kernel() -> Any:
    kernel = getattr(ctypes, "WinDLL")("kernel32", use_last_error=True)  # noqa: B009 (missing on other systems)
    handle = wintypes.HANDLE
    for name in ("CreateJobObjectW", "GetCurrentProcess", "OpenProcess"):
        getattr(kernel, name).restype = handle
    kernel.CreateJobObjectW.argtypes = (wintypes.LPVOID, wintypes.LPCWSTR)
    kernel.SetInformationJobObject.argtypes = (handle, ctypes.c_int, wintypes.LPVOID, wintypes.DWORD)
    kernel.AssignProcessToJobObject.argtypes = (handle, handle)
    kernel.TerminateJobObject.argtypes = (handle, wintypes.UINT)
    kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    kernel.WaitForSingleObject.argtypes = (handle, wintypes.DWORD)
    kernel.SetPriorityClass.argtypes = (handle, wintypes.DWORD)
    kernel.CloseHandle.argtypes = (handle,)
    return kernel


def _handle(process: subprocess.Popen[bytes]) -> int:
    return int(process._handle)  # type: ignore[attr-defined]


def _job_of(process: int) -> Job | None:
    """A job with ``process`` in it; None if the system refuses, as old ones do if the process has a job already."""
    try:
        job = Job()
        job.add(process)
    except OSError:
        return None
    return job


def _error() -> OSError:
    return OSError(0, "the system refuses a job object", None, getattr(ctypes, "get_last_error")())  # noqa: B009
