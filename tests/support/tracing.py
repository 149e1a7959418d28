"""What programs do below Python: strace, in a network namespace that has nothing but loopback.

Nothing can leave such a namespace, so whoever wants to is seen by what it tries. :class:`Watch` runs commands in one,
as root or as an ordinary user; :func:`offences` reads what strace wrote.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_NETWORK = ("connect", "sendto", "sendmsg", "sendmmsg")
_FILES = (
    *("open", "openat", "openat2", "creat", "truncate", "mkdir", "mkdirat", "mknod", "mknodat", "rmdir"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat"),
)
_OTHER = ("chdir", "io_uring_setup")  # what happens in a ring is hidden from strace
_TOOLS = {"strace": "strace", "unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2"}

_STRACE = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "256"]
_STRACE += ["-e", f"trace={','.join((*_NETWORK, *_FILES, *_OTHER))}", "-e", "signal=none"]
_WRITING = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")
_MADE = re.compile(r" = (?:\d|-1 E(?:ACCES|PERM|ROFS)\b)")  # done, or done where the user may write
_STRING = r'"((?:[^"\\]|\\.)*)"'
_PLACE = re.compile(rf"(?:(?:AT_FDCWD|\d+)(?:<((?:[^>\\]|\\.)*)>)?, )?{_STRING}")  # where a path begins, and the path


def missing() -> str | None:
    """Why nothing can be watched here, or None."""
    if sys.platform != "linux":
        return "only Linux has network namespaces and strace"
    for tool, package in _TOOLS.items():
        if not shutil.which(tool):
            return f"{tool} is not installed (Debian: apt install {package})"
    if any(Path(path).exists() for path in ("/run/nscd/socket", "/var/run/nscd/socket")):
        return "nscd runs here: it looks names up for others, where strace does not see it"
    try:
        with Watch.begun(Path(os.devnull)) as watch:
            trial = subprocess.run(watch.inside([*_STRACE, "-o", os.devnull, "true"]), capture_output=True, text=True)
    except OSError as error:
        return f"no network namespace can be made here: {error}"
    return f"strace cannot trace here: {trial.stderr.strip()[:200]}" if trial.returncode else None


@dataclass
class Watch:
    """A network namespace that holds only loopback, and what was traced in it.

    Attributes:
        folder: of the traces.
        holder: the process that keeps the namespace.
        traces: one file a command.
    """

    folder: Path
    holder: int
    traces: list[Path] = field(default_factory=list)

    @classmethod
    @contextmanager
    def begun(cls, folder: Path) -> Iterator[Watch]:
        """A new one; OSError where the system does not allow it."""
        command = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net", "sh", "-c"]
        command.append("ip link set lo up && echo up && exec sleep infinity")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None and holder.stderr is not None
            try:
                if holder.stdout.readline() != "up\n":
                    raise OSError(holder.stderr.read().strip())
                yield cls(folder, holder.pid)
            finally:
                holder.kill()

    def inside(self, words: Sequence[str]) -> list[str]:
        """``words`` as a command in the namespace."""
        enter = ["nsenter", f"--target={self.holder}", "--net"]
        if os.geteuid() != 0:
            enter += ["--user", "--preserve-credentials"]
        return [*enter, *words]

    def traced(self, words: Sequence[str]) -> list[str]:
        """``words`` as a command in the namespace, with all that it starts under strace."""
        self.traces.append(self.folder / f"{len(self.traces)}.strace")
        return self.inside([*_STRACE, "-o", str(self.traces[-1]), *words])

    def run(self, words: Sequence[str], environ: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run ``words`` to their end, traced; a failure fails the test."""
        done = subprocess.run(
            self.traced(words), env=environ, cwd=folder, capture_output=True, text=True, encoding="utf-8"
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr[-2000:] or done.stdout[-2000:]}"
        return done

    @contextmanager
    def running(self, words: Sequence[str], environ: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
        """``words``, traced; ended as Ctrl+C ends them."""
        with subprocess.Popen(
            self.traced(words), env=environ, cwd=folder, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        ) as process:
            try:
                yield process
            finally:
                pass


def offences(trace: Path, start: Path, own: Iterable[Path]) -> list[str]:
    """Lines of ``trace`` in which somebody spoke to another machine, looked a name up or changed a file of others.

    Args:
        trace: what strace wrote.
        start: where the command was started.
        own: folders in which files may be made, changed and removed.
    """
    judge = _Judge(start, tuple(own))
    return [line for line in _whole(trace) if judge.offends(line)]
