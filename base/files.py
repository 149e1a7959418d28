"""Files that are whole or absent: written to a temporary file in the same folder, then renamed."""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from .errors import DataError
from .inside import open_own, walk
from .os_errors import is_systemic

_PATIENCE = (0.05, 0.1, 0.2, 0.4) if sys.platform == "win32" else ()
"""Seconds between attempts to rename: on Windows a scanner or an indexer may have the file open for a moment."""


@contextmanager
def beside(path: str | Path, *, private: bool = False) -> Iterator[Path]:
    """A temporary file beside ``path``, which replaces it when the block succeeds and is removed when the block fails.

    With ``private`` only its owner can read it (mode 600). Errors of the operating system name ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        part, mode = _begun(path, 0o600 if private else 0o666)
    except OSError as error:
        error.filename = str(path)
        raise
    try:
        yield part
        to_disk(part)
        part.chmod(mode)  # the writer may have put a file of its own there: safetensors does, with mode 600
        rename(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and (error.filename == str(part) or (not error.filename and is_systemic(error))):
            error.filename, error.filename2 = str(path), None
        raise


def _begun(path: Path, mode: int) -> tuple[Path, int]:
    """A new empty file beside ``path``, and its mode: ``mode`` less the umask.

    The system applies the umask. To read the umask a process has to change it for a moment, in which its other threads
    create files that everybody can read.
    """
    while True:
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        with suppress(FileExistsError):
            handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
            try:
                return part, stat.S_IMODE(os.fstat(handle).st_mode)
            finally:
                os.close(handle)


def to_disk(path: Path) -> None:
    """Force the file ``path`` to disk, so that it survives a power cut."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def rename(part: Path, path: Path) -> None:
    """Rename ``part`` over ``path``; try again for a moment if another program has it open."""
    for pause in _PATIENCE:
        with suppress(PermissionError):
            part.replace(path)
            return
        time.sleep(pause)
    part.replace(path)


@contextmanager
def replacing(path: str | Path, *, private: bool = False, errors: str = "strict") -> Iterator[IO[str]]:
    """:func:`beside` as an open text file (UTF-8, ``\\n``); ``errors`` handles characters that UTF-8 cannot encode."""
    with beside(path, private=private) as part, part.open("w", encoding="utf-8", errors=errors, newline="\n") as file:
        yield file


@contextmanager
def replacing_bytes(path: str | Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """:func:`beside` as an open binary file that can be read and written at any position."""
    with beside(path, private=private) as part, part.open("w+b") as file:
        yield file


def set_aside(path: Path) -> Path:
    """Copy a file to one beside it, named with the time of the file's last change; return the copy's path.

    The original stays, so that its place is never empty.
    """
    stamp = f"{path.stem}.{datetime.fromtimestamp(path.stat().st_mtime):%Y-%m-%dT%H-%M-%S}"
    names = (f"{stamp}{tail}{path.suffix}" for tail in ("", *(f"-{number}" for number in range(2, 10_000))))
    copy = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    with replacing_bytes(copy) as file:
        file.write(path.read_bytes())
    return copy


def leftovers(folder: str | Path) -> Iterator[Path]:
    """The temporary files that killed processes left in ``folder``, at any depth."""
    for _, entries in walk(Path(folder)):
        yield from (Path(e) for e in entries if _LEFTOVER.fullmatch(e.name) and e.is_file(follow_symlinks=False))


_LEFTOVER = re.compile(r"\..+\.[a-z0-9_]{8}\.part")


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold a lock on the file ``path``; the system releases it when the process ends, for whatever reason.

    Raises:
        BlockingIOError: another process holds it.
        ConfigError: ``path`` is a link, a folder or a device.
    """
    path = Path(path)
    with open_own(path, "a") as file:
        lock(file)
        if sys.platform != "win32":
            try:
                # Between our opening and our locking, its former holder may have removed it.
                if not os.path.samestat(path.stat(), os.fstat(file.fileno())):
                    raise BlockingIOError
            except FileNotFoundError:
                raise BlockingIOError from None
        try:
            yield
        finally:
            if sys.platform != "win32":
                path.unlink(missing_ok=True)
    if sys.platform == "win32":  # there an open file cannot be removed
        with suppress(OSError):
            path.unlink()


def lock(file: IO[str]) -> None:
    """Lock an open file until it is closed.

    Raises:
        BlockingIOError: another process holds it.
    """
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            pass


def write_text(path: str | Path, text: str | Iterable[str]) -> None:
    """Replace ``path`` by ``text``, whole or in pieces; lone surrogates, which UTF-8 cannot encode, become ``?``.

    Offsets stay valid.
    """
    with replacing(path, errors="replace") as file:
        file.writelines([text] if isinstance(text, str) else text)


def write_records(path: str | Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Replace ``path`` by one JSON object per line; return how many."""
    count = 0
    with replacing(path) as file:
        for record in records:
            file.write(as_line(record))
            count += 1
    return count


def as_line(record: Mapping[str, Any]) -> str:
    """``record`` as a line of JSON; lone surrogates, which UTF-8 cannot encode, become JSON escapes.

    Raises:
        DataError: it is nested too deeply; a record can be read on a shallow stack and be too deep to write later.
    """
    try:
        line = json.dumps(record, ensure_ascii=False)
    except RecursionError:
        raise DataError("a record is nested too deeply to be written") from None
    return (line if _encodable(line) else json.dumps(record)) + "\n"


def read_records(path: str | Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a JSON Lines file; it may begin with a byte order mark.

    Raises:
        DataError: the file cannot be read, or a line is not a JSON object; the message names the line.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):
                    raise DataError(f"{path}, line {number}: not JSON; expected one object a line") from None
                if not isinstance(record, dict):
                    raise DataError(f"{path}, line {number}: expected a JSON object")
                yield record
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
