"""Commands of pizhu's in processes of their own, which keeps their memory and their crashes apart from the service."""

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
    """The service ends; what was under way goes on when it starts again."""


class Commands:
    """Runs one command after another, until it is closed; none outlives this process (see :mod:`.child`)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def run(
        self, words: Sequence[str], log: Path, environ: Mapping[str, str] | None = None, fine: Sequence[int] = (0,)
    ) -> str:
        """Run ``pizhu WORDS`` to its end.

        Args:
            words: the command's.
            log: gets what it tells on the error stream.
            environ: what it finds in its environment beside ours; the place for tokens.
            fine: statuses that are no failure.

        Returns:
            What it printed.

        Raises:
            LabelingError: it failed; with its own sentence.
            Closed: :meth:`close` was called.
        """
        with log.open("ab") as told:
            with self._lock:
                if self._closed:
                    raise Closed
                process = self._process = subprocess.Popen(
                    [sys.executable, "-m", f"{__package__}.child", *words],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=told,
                    env={**os.environ, "PYTHONUTF8": "1", **(environ or {})},
                )
            assert process.stdin is not None and process.stdout is not None
            with process, process.stdin:  # not communicate(), which would close its standard input at once
                out = process.stdout.read().decode("utf-8", "replace")
                status = process.wait()
        if self._closed:
            raise Closed
        if status not in fine:
            raise LabelingError(f"`pizhu {words[0]}` failed (status {status}): {_reason(log)}")
        return out

    def close(self) -> None:
        """End the command that runs and let no other begin."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()


def _reason(log: Path) -> str:
    """The sentence with which the last command ended."""
    lines = [line.removeprefix("pizhu: ") for line in tail(log, 200) if line.startswith("pizhu: ")]
    return lines[-1] if lines else f"see {log}"
