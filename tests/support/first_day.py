"""Runs pizhu on a fresh machine, and records which hosts it contacts and which files it leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .tracing import Traced, Watch, offences

_ASK = """
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
data = sys.stdin.buffer.read() or None
headers = dict(line.split(": ", 1) for line in sys.argv[2:])
sys.stdout.buffer.write(opener.open(urllib.request.Request(sys.argv[1], data, headers), timeout=120).read())
"""


class FirstDay:
    """An empty home and temporary folder, a folder to work in, and no network but loopback.

    Attributes:
        out: the folder where commands run; they may write anything in it.
        environ: their environment; it does not show that a test is running, and switches nothing off.
    """

    def __init__(self, folder: Path, watch: Watch) -> None:
        self.out, self._home, self._temporary = (folder / name for name in ("out", "home", "tmp"))
        for made in (self.out, self._home, self._temporary):
            made.mkdir()
        self._watch = watch
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "TMPDIR": str(self._temporary),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @classmethod
    @contextmanager
    def begun(cls) -> Iterator[FirstDay]:
        """A machine with short folder names (paths of sockets have a limit), which are removed at the end."""
        with tempfile.TemporaryDirectory(prefix="pizhu-", ignore_cleanup_errors=True) as name:
            folder = Path(name).resolve()
            (folder / "traces").mkdir()
            with Watch.begun(folder / "traces") as watch:
                yield cls(folder, watch)

    def pizhu(self, *words: str | Path) -> str:
        """Run a pizhu command to its end; returns its output."""
        with self.running("-m", "pizhu", *words) as command:
            status = command.ended(600)
        assert status == 0, f"pizhu {words} ended with {status}: {command.printed[-2000:]}"
        return command.printed

    @contextmanager
    def running(self, *words: str | Path) -> Iterator[Traced]:
        """Run Python with these arguments, until it ends or the block does."""
        with self._watch.running([sys.executable, *words], self.environ, self.out) as command:
            yield command

    def ask(self, url: str, data: bytes = b"", *headers: str, seconds: float = 120) -> bytes:
        """The response of a server in the namespace, once it listens; posts ``data`` if there is any.

        Raises:
            AssertionError: the server does not answer within ``seconds``, or refuses.
        """
        command = self._watch.inside(sys.executable, "-c", _ASK, url, *headers)
        until = time.monotonic() + seconds
        while True:
            asked = subprocess.run(command, input=data, capture_output=True)
            if asked.returncode == 0:
                return asked.stdout
            assert b"Connection refused" in asked.stderr and time.monotonic() < until, asked.stderr.decode()[-1000:]
            time.sleep(0.5)

    def offences(self) -> list[str]:
        """The contacts to other machines, the changes to other files, and what remains in the temporary folder."""
        own = [self.out, self._temporary, *(self._home / place for place in (".cache/pizhu", ".local/share/pizhu"))]
        spoken = [line for trace in self._watch.traces for line in offences(trace, self.out, own)]
        # torch makes a folder for a compiler that it never calls.
        left = [
            p for p in self._temporary.iterdir() if not (p.name.startswith("torchinductor_") and not any(p.iterdir()))
        ]
        return [*spoken, *(f"left behind: {path}" for path in left)]
