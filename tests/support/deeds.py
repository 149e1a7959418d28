"""A reader process that obeys hostile files: a file that begins with ``deed NAME`` makes it run that function.

Such files simulate unknown faults in readers, so the tests do not depend on known ones.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pizhu.base.errors import MissingExtraError, ReadError
from pizhu.data import readers
from pizhu.data.isolation import worker
from pizhu.data.isolation.confinement import external_program, scratch
from pizhu.data.readers.base import Extract, Format, Source

MODULE = __name__
"""The value for ``pizhu.data.isolation.process._WORKER``."""

PROGRAM = f"""import sys
from pizhu.data.isolation import process
process._WORKER = {__name__!r}
from pizhu.cli import main
main()
"""
"""The command line with such processes: ``python -c PROGRAM annotate …``."""


def spin() -> None:
    """Loop for ever in C and hold the interpreter's lock, so that no other thread and no signal handler runs."""
    re.match(r"(?:a+)+$", "a" * 60 + "b")


def sleep() -> None:
    time.sleep(600)


def eat() -> None:
    held = []
    while True:
        held.append(bytearray(2**24))


def eat_slowly() -> None:
    """Take 256 MB more for a moment."""
    held = bytearray(2**28)
    del held


_KEPT: list[bytearray] = []


def grow() -> None:
    _KEPT.append(bytearray(b"x") * 2**29)


def crash() -> None:
    ctypes.string_at(1)


def leave() -> None:
    os._exit(3)


def recurse() -> None:
    recurse()


def refuse() -> None:
    raise ReadError("the deed was refused")


def fill() -> None:
    raise OSError(28, "No space left on device", "/somewhere")


def lack() -> None:
    raise MissingExtraError("the deed", "pdf")


def _answer(data: bytes) -> None:
    """Send ``data`` as the answer, as a file could that has taken over the process."""
    os.write(_pipe(), data)
    time.sleep(600)


def _pipe() -> int:
    """The file descriptor for answers: the only writable pipe."""
    for number in range(3, 20):
        with suppress(OSError):
            if stat.S_ISFIFO(os.fstat(number).st_mode) and fcntl.fcntl(number, fcntl.F_GETFL) & os.O_WRONLY:
                return number
    raise RuntimeError


def flood() -> None:
    _answer(struct.pack("<QQ", 10, 2**50) + b"x" * 1000)


def babble() -> None:
    _answer(struct.pack("<QQ", 7, 0) + b"no JSON")


def nest() -> None:
    _answer(struct.pack("<QQ", 100_000, 0) + b"[" * 100_000)


def convert() -> None:
    """Start another process and leave files next to it, as LibreOffice does."""
    folder = scratch()
    assert folder is not None
    Path(folder, "half a document").write_text("x", encoding="utf-8")
    with external_program():
        Path(folder, "pid").write_text(str(subprocess.Popen(["sleep", "600"]).pid), encoding="utf-8")
        time.sleep(600)


def chatter() -> None:
    """Print to the standard output as a library may; that is not an answer."""
    print("hello", flush=True)
    os.write(1, b"hello\n" * 1000)
    os.write(2, b"hello\n" * 100_000)


def modules() -> str:
    return "；".join(sorted({name.partition(".")[0] for name in sys.modules}))


def pid() -> str:
    return f"{os.getpid()}"


DEEDS: dict[str, Callable[[], str | None]] = {
    deed.__name__: deed  # type: ignore[misc]
    for deed in (
        spin,
        sleep,
        eat,
        eat_slowly,
        grow,
        crash,
        leave,
        recurse,
        refuse,
        fill,
        lack,
        flood,
        babble,
        nest,
        convert,
        chatter,
        modules,
        pid,
    )
}


def _read(source: Source) -> Extract:
    said = DEEDS[source.data.decode("utf-8").split()[1]]()
    return Extract(f"{said or 'done'}。\n")


def main() -> None:
    """Run ``pizhu.data.isolation.worker.main`` with one more format."""
    own = Format("deed", lambda data: data.startswith(b"deed "), _read)
    readers.FORMATS = (own, *readers.FORMATS)
    worker.main()
