"""A reading process, seen from the program that uses it."""

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
# Modules come from where this program has its own, and not from the current folder, where a stranger's files may lie.
_BEGIN = "import sys; sys.path[:] = sys.argv[1:]; from {} import main; main()"
_HELLO = 4_096


class Process:
    """A process that reads one file after the other.

    Its methods are for one thread, which must live as long as the process does, since Linux ends it with that thread;
    :meth:`kill` and :meth:`lower` are for any thread, until :meth:`end` is called.

    Attributes:
        pid: its number.
        limits_memory: whether the system refuses it memory over the limit.
        said: why it did not begin.
    """

    def __init__(self) -> None:
        self.limits_memory, self.said = True, ""
        self._begun = False
        command = [sys.executable, "-c", _BEGIN.format(_WORKER), *map(os.path.abspath, sys.path)]
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._popen: subprocess.Popen[bytes] = subprocess.Popen(command, **pipes, **system.OPTIONS)
        assert self._popen.stdin and self._popen.stdout and self._popen.stderr
        self._questions, self._answers, self._errors = self._popen.stdin, self._popen.stdout, self._popen.stderr
        self._family = system.Family(self._popen)
        self.pid = self._popen.pid

    def begin(self) -> bool:
        """Wait until it is ready; False where it ended before."""
        hello = receive(self._answers, _HELLO)
        if hello is None:
            return False
        self._begun = True
        self.limits_memory = bool(hello[0].get("limits_memory"))
        return True

    def ask(self, question: Question) -> tuple[dict[str, Any], bytes] | None:
        """The answer to a question; None where it ended before it gave one.

        Raises:
            SpoiltError: it answered something else.
        """
        try:
            question.send(self._questions)
            return receive(self._answers, question.most)
        except OSError:  # a broken pipe, by any of its names
            return None

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._family.alive()

    def kill(self) -> None:
        """End it and what it started, whatever they do."""
        self._family.kill()

    def lower(self) -> None:
        """Let others have the processor first."""
        self._family.lower()

    def memory_mb(self) -> int:
        """The memory that it holds, with what it started; 0 where psutil is not installed to tell."""
        if find_spec("psutil") is None:
            return 0
        import psutil

        total = 0
        with suppress(psutil.Error):
            family = psutil.Process(self.pid)
            total = sum(one.memory_info().rss for one in (family, *family.children(recursive=True)))
        return total // 2**20

    def end(self) -> int:
        """End it, wait for that and remove what it left; returns its exit status."""
        self._family.kill()
        with suppress(subprocess.TimeoutExpired):  # which only a broken disk or network can make it
            self._popen.wait(5)
        if not self._begun:
            self.said = self._errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        for pipe in (self._questions, self._answers, self._errors):
            with suppress(OSError):  # what was not written any more
                pipe.close()
        self._family.close()
        sweep()  # it may have converted a file
        return self._popen.returncode or 0
