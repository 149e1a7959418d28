"""Runs pizhu commands in their own processes, so that their memory use and crashes do not affect the service."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...base.errors import LabelingError
from .state import tail


class Closed(Exception):
    """The service is shutting down; the next start continues what was in progress."""


class Commands:
    """Runs one command at a time, until it is closed; no command outlives this process (see :mod:`.child`)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def run(
        self, words: Sequence[str], log: Path, environ: Mapping[str, str] | None = None, fine: Sequence[int] = (0,)
    ) -> str:
        """Run ``pizhu WORDS`` and wait for it to end.

        Args:
            words: the command's arguments.
            log: the file to which its error stream is appended.
            environ: environment variables for it, in addition to ours; tokens go here.
            fine: exit statuses that do not count as failure.

        Returns:
            Its output.

        Raises:
            LabelingError: it failed; the message includes its own.
            Closed: :meth:`close` was called.
        """
        with log.open("ab") as errors:
            with self._lock:
                if self._closed:
                    raise Closed
                process = self._process = subprocess.Popen(
                    [sys.executable, "-m", f"{__package__}.child", *words],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env={**os.environ, "PYTHONUTF8": "1", **(environ or {})},
                )
            assert process.stdin is not None and process.stdout is not None
            with process, process.stdin:  # communicate() would close its standard input at once
                out = process.stdout.read().decode("utf-8", "replace")
                status = process.wait()
        if self._closed:
            raise Closed
        if status not in fine:
            raise LabelingError(f"`pizhu {words[0]}` failed (status {status}): {_reason(log)}")
        return out

    def close(self) -> None:
        """Kill the running command and let no other start."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()


def _reason(log: Path) -> str:
    """The last error message in the log."""
    lines = [line.removeprefix("pizhu: ") for line in tail(log, 200) if line.startswith("pizhu: ")]
    return lines[-1] if lines else f"see {log}"
