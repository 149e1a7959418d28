"""pizhu on a machine where nobody has used it before: what it says to whom, and what it leaves where."""

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
        out: where commands run; everything in it is theirs.
        environ: what they find in their environment: nothing that says that a test runs, or that anything is off.
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
        """One whose folders are short (names of sockets have a limit) and go with it."""
        with tempfile.TemporaryDirectory(prefix="pizhu-", ignore_cleanup_errors=True) as name:
            folder = Path(name).resolve()
            (folder / "traces").mkdir()
            with Watch.begun(folder / "traces") as watch:
                yield cls(folder, watch)

    def pizhu(self, *words: str | Path) -> str:
        """What a command of pizhu's prints, run to its end."""
        with self.running("-m", "pizhu", *words) as command:
            status = command.ended(600)
        assert status == 0, f"pizhu {words} ended with {status}: {command.printed[-2000:]}"
        return command.printed

    @contextmanager
    def running(self, *words: str | Path) -> Iterator[Traced]:
        """Python with these words, which runs until the block ends or by itself."""
        with self._watch.running([sys.executable, *words], self.environ, self.out) as command:
            yield command

    def ask(self, url: str, data: bytes = b"", *headers: str, seconds: float = 120) -> bytes:
        """What a server in there answers, waited for until it listens; ``data`` is posted.

        Raises:
            AssertionError: it does not answer in ``seconds``, or refuses.
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
        """What the commands said to others or changed that is not theirs, and what is left in the temporary folder."""
        own = [self.out, self._temporary, *(self._home / place for place in (".cache/pizhu", ".local/share/pizhu"))]
        spoken = [line for trace in self._watch.traces for line in offences(trace, self.out, own)]
        # torch makes a folder for a compiler that is never called.
        left = [
            p for p in self._temporary.iterdir() if not (p.name.startswith("torchinductor_") and not any(p.iterdir()))
        ]
        return [*spoken, *(f"left behind: {path}" for path in left)]
