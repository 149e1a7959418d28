"""Records the system calls of programs with strace, in a network namespace with only a loopback interface.

Nothing can leave such a namespace, but strace records every attempt. :class:`Watch` runs commands in one, as root or as
an ordinary user; :func:`offences` reads strace's output.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_NETWORK = ("connect", "sendto", "sendmsg", "sendmmsg")
_OPENING = ("open", "openat", "openat2")
_LINKING = ("link", "linkat", "symlink", "symlinkat")
_RENAMING = ("rename", "renameat", "renameat2")
_CHANGING = ("creat", "truncate", "mkdir", "mkdirat", "mknod", "mknodat", "rmdir", "unlink", "unlinkat")
_HIDDEN = "io_uring_setup"  # strace does not see calls through a ring
_CALLS = (*_NETWORK, *_OPENING, *_LINKING, *_RENAMING, *_CHANGING, "chdir", _HIDDEN)
_STRACE = ("strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s0", "--signal=none", f"--trace={','.join(_CALLS)}")
_TOOLS = {"strace": "strace", "unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2"}

_CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<words>.*)\) += (?P<result>.*)")
_BEGUN = re.compile(r"(?P<pid>\d+) +(?P<text>\w+\(.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<text>.*)")
_ADDRESS = re.compile(r"\{sa_family=AF_(?P<family>\w+)(?P<rest>[^}]*)\}")
_SOCKET = re.compile(r'sun_path="(?P<path>(?:[^"\\]|\\.)*)"')
_HERE = re.compile(r"AT_FDCWD<(?P<folder>(?:[^>\\]|\\.)*)>")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>(?:[^>\\]|\\.)*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')
_OPENED = re.compile(r"\d+<(?P<path>/(?:[^>\\]|\\.)*)>")
_WRITING = re.compile(r"\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")
_DONE = re.compile(r"\d|-1 E(?:ACCES|PERM|ROFS)\b")  # done, or refused for lack of permission

_NAMES_PORT = "53"
_NO_FILES = ("/dev", "/proc")  # devices, shared memory and the kernel's
_OFFICE = "/tmp/OSL_PIPE_"  # LibreOffice's socket to itself, there whatever the temporary folder is
_ACCOUNTS = "/run/systemd/userdb/"  # systemd resolves user names there, not host names


@cache
def missing() -> str | None:
    """Why this machine cannot trace programs, or None."""
    if sys.platform != "linux":
        return "only Linux has network namespaces and strace"
    for tool, package in _TOOLS.items():
        if not shutil.which(tool):
            return f"{tool} is not installed (Debian: apt install {package})"
    if any(Path(folder, "nscd/socket").exists() for folder in ("/run", "/var/run")):
        return "nscd is running: it looks up names for the traced programs"
    try:
        with Watch.begun(Path(os.devnull)) as watch:
            trial = subprocess.run(watch.inside(*_STRACE, "-o", os.devnull, "true"), capture_output=True, text=True)
    except OSError as error:
        return f"no network namespace can be made here: {error}"
    return f"strace cannot trace here: {trial.stderr.strip()}" if trial.returncode else None


class Watch:
    """A network namespace with only loopback, and the traces of the programs in it."""

    def __init__(self, folder: Path, holder: int) -> None:
        """``folder`` gets traces and outputs of commands; ``holder`` is the process that keeps the namespace."""
        self._folder, self._holder = folder, holder
        self.traces: list[Path] = []

    @classmethod
    @contextmanager
    def begun(cls, folder: Path) -> Iterator[Watch]:
        """A new namespace; raises OSError if the system does not allow one."""
        command = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        command += ["sh", "-c", "ip link set lo up && echo up && exec sleep infinity"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None and holder.stderr is not None
            try:
                if holder.stdout.readline() != "up\n":
                    raise OSError(holder.stderr.read().strip())
                yield cls(folder, holder.pid)
            finally:
                holder.kill()

    def inside(self, *words: str | Path) -> list[str]:
        """``words`` as a command in the namespace."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self._holder}", "--net", *user, *map(str, words)]

    @contextmanager
    def running(self, words: Sequence[str | Path], environ: Mapping[str, str], folder: Path) -> Iterator[Traced]:
        """Run ``words`` and trace it with its child processes; the end of the block interrupts it, like Ctrl+C."""
        trace = self._folder / f"{len(self.traces)}.strace"
        self.traces.append(trace)
        with trace.with_suffix(".txt").open("wb") as output:
            tracer = subprocess.Popen(
                self.inside(*_STRACE, "-o", trace, *words),
                env=dict(environ),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        traced = Traced(tracer, Path(output.name))
        try:
            yield traced
        finally:
            traced.stop()


class Traced:
    """A command under strace, with its output."""

    def __init__(self, tracer: subprocess.Popen[bytes], output: Path) -> None:
        self._tracer, self._output = tracer, output

    @property
    def printed(self) -> str:
        """Its output so far, on both streams."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def says(self, text: str, seconds: float) -> bool:
        """Wait for ``text`` in the output; returns whether it came."""
        until = time.monotonic() + seconds
        while text not in self.printed and self.ended(0.2) is None and time.monotonic() < until:
            pass
        return text in self.printed

    def ended(self, seconds: float) -> int | None:
        """Its exit status; None if it is still running after so many seconds."""
        try:
            return self._tracer.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> int:
        """Interrupt it and, if it does not end, kill it with its child processes; returns the exit status."""
        if self.ended(0) is None:
            import psutil

            tracer = psutil.Process(self._tracer.pid)
            for child in tracer.children():
                child.send_signal(signal.SIGINT)
            if self.ended(60) is None:
                for process in tracer.children(recursive=True):
                    process.kill()
        return self._tracer.wait()


def offences(trace: Path, start: Path, own: Iterable[Path]) -> list[str]:
    """The calls that contacted another machine, looked up a name, or changed a file that is not ours.

    Args:
        trace: what strace wrote.
        start: the folder in which the command was started.
        own: folders in which files may be made, changed and removed, and sockets lie.
    """
    folders = tuple(os.path.realpath(folder) for folder in own)
    places: dict[str, str] = {}  # each process's working folder, if known
    found: dict[str, None] = {}  # in order, each once
    for pid, name, words, result in _calls(trace):
        place = places.get(pid, str(start))
        if name == "chdir":
            places[pid] = next(_paths(words, place))
        elif name in _NETWORK:
            if any(_leaves(address, result, folders) for address in _ADDRESS.finditer(words)):
                found[f"{name}({words}) = {result}"] = None
        elif name == _HIDDEN:
            found[f"{name}({words}) = {result}"] = None
        else:
            if told := _HERE.match(words):
                places[pid] = place = _text(told["folder"])
            changed = _changed(name, words, result, place) if _DONE.match(result) else ()
            if not all(_is_own(path, folders) or _holds(path, name, folders) for path in changed):
                found[f"{name}({words}) = {result}"] = None
    return list(found)


def _calls(trace: Path) -> Iterator[tuple[str, str, str, str]]:
    """Process, call, arguments and result; joins calls that were interrupted by others."""
    begun: dict[str, str] = {}
    with trace.open(encoding="ascii") as lines:
        for line in lines:
            if unfinished := _BEGUN.match(line):
                begun[unfinished["pid"]] = unfinished["text"]
                continue
            if resumed := _RESUMED.match(line):
                line = f"{resumed['pid']} {begun.pop(resumed['pid'])}{resumed['text']}"
            if call := _CALL.match(line):
                yield call["pid"], call["name"], call["words"], call["result"]


def _leaves(address: re.Match[str], result: str, own: tuple[str, ...]) -> bool:
    """Whether data sent there leaves this machine, or asks a local resolver for a host's address."""
    family, rest = address["family"], address["rest"]
    if family in ("INET", "INET6"):
        (host,) = re.findall(r'(?:inet_addr\(|AF_INET6, )"([^"]*)"', rest)
        (port,) = re.findall(r"_port=htons\((\d+)\)", rest)
        return port == _NAMES_PORT or not _is_loopback(host)
    if family == "UNIX":  # sockets without a path stay in the namespace
        path = _text(socket["path"]) if (socket := _SOCKET.search(rest)) else _ACCOUNTS
        return _DONE.match(result) is not None and not (path.startswith(_ACCOUNTS) or _is_own(path, own))
    return family not in ("NETLINK", "UNSPEC")


def _changed(name: str, words: str, result: str, place: str) -> list[str]:
    """The paths that a call creates, changes or removes."""
    if name in _OPENING and not _WRITING.search(words):
        return []
    if name in _OPENING and (opened := _OPENED.match(result)):
        return [_text(opened["path"])]
    paths = list(_paths(words, place))
    if name in _RENAMING:
        return paths
    return paths[-1:] if name in _LINKING else paths[:1]


def _paths(words: str, place: str) -> Iterator[str]:
    """The absolute paths among a call's arguments."""
    for found in _PATH.finditer(words):
        path = Path(os.path.normpath(Path(place, _text(found["folder"] or ""), _text(found["path"]))))
        yield str(Path(os.path.realpath(path.parent), path.name))


def _is_own(path: str, own: tuple[str, ...]) -> bool:
    if path.startswith(_OFFICE) or "/__pycache__/" in f"{path}/":  # Python's compiled modules
        return True
    return any(path == folder or path.startswith(f"{folder}/") for folder in (*own, *_NO_FILES))


def _holds(path: str, name: str, own: tuple[str, ...]) -> bool:
    """Whether the call makes a folder that contains one of our own."""
    return name.startswith("mkdir") and any(folder.startswith(f"{path}/") for folder in own)


def _is_loopback(host: str) -> bool:
    address = ipaddress.ip_address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _text(quoted: str) -> str:
    """strace's spelling of a name as text."""
    return quoted.encode("ascii").decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")
