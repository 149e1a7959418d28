"""A reading process, as the program that uses it sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from ...base.scratch import sweep
from .messages import Question, receive
from .system import system

_WORKER = f"{__package__}.worker"
# Modules are imported from where this program imports its own, never from the current folder, which may be hostile.
_BEGIN = "import sys; sys.path[:] = sys.argv[1:]; from {} import main; main()"
_HELLO = 4_096


class Process:
    """A process that reads one file after another.

    Its methods must all be called by one thread, which must outlive the process, because Linux ends the process
    together with that thread. :meth:`kill` and :meth:`lower` may be called by any thread until :meth:`end` is called.

    Attributes:
        pid: its process id.
        limits_memory: whether the system enforces its limit on memory.
        startup_error: its message if it failed to start.
    """

    def __init__(self) -> None:
        self.limits_memory, self.startup_error = True, ""
        self._begun = False
        command = [sys.executable, "-c", _BEGIN.format(_WORKER), *map(os.path.abspath, sys.path)]
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._popen: subprocess.Popen[bytes] = subprocess.Popen(command, **pipes, **system.OPTIONS)
        assert self._popen.stdin and self._popen.stdout and self._popen.stderr
        self._questions, self._answers, self._errors = self._popen.stdin, self._popen.stdout, self._popen.stderr
        self._tree = system.ProcessTree(self._popen)
        self.pid = self._popen.pid

    def begin(self) -> bool:
        """Wait until it is ready; False if it ended before."""
        hello = receive(self._answers, _HELLO)
        if hello is None:
            return False
        self._begun = True
        self.limits_memory = bool(hello[0].get("limits_memory"))
        return True

    def ask(self, question: Question) -> tuple[dict[str, Any], bytes] | None:
        """The answer to a question; None if the process ended before it answered.

        Raises:
            InvalidMessageError: the answer is invalid.
        """
        try:
            question.send(self._questions)
            return receive(self._answers, question.most)
        except OSError:  # a broken pipe, whatever its error is called
            return None

    def alive(self) -> bool:
        """Whether it is running."""
        return self._tree.alive()

    def kill(self) -> None:
        """End it and what it has started, at once."""
        self._tree.kill()

    def lower(self) -> None:
        """Lower its priority."""
        self._tree.lower()

    def memory_mb(self) -> int:
        """The memory that it uses, in MiB, with what it has started; 0 if psutil is not installed."""
        if find_spec("psutil") is None:
            return 0
        import psutil

        total = 0
        with suppress(psutil.Error):
            family = psutil.Process(self.pid)
            total = sum(one.memory_info().rss for one in (family, *family.children(recursive=True)))
        return total // 2**20

    def end(self) -> int:
        """End it, wait for that and remove its files; return its exit status."""
        self._tree.kill()
        with suppress(subprocess.TimeoutExpired):  # only a broken disk or network can delay it
            self._popen.wait(5)
        if not self._begun:
            self.startup_error = self._errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        for pipe in (self._questions, self._answers, self._errors):
            with suppress(OSError):  # for output that was not written in time
                pipe.close()
        self._tree.close()
        sweep()  # it may have converted a file
        return self._popen.returncode or 0
