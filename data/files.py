"""Files that are whole or absent: written beside their place, then renamed."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .errors import DataError


@contextmanager
def replacing(path: str | Path, *, private: bool = False) -> Iterator[IO[str]]:
    """A text file (UTF-8, ``\\n``) that takes the place of ``path`` when the block ends well, and vanishes when not.

    A ``private`` one can be read by its owner alone (mode 600).
    """
    with replacing_bytes(path, private=private) as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
        try:
            yield file
        finally:
            file.detach()  # writes what is left and leaves the bytes open


@contextmanager
def replacing_bytes(path: str | Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """The same for bytes: a file that can be read and written anywhere."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not private:
            beside.chmod(0o666 & ~_umask())  # mkstemp's 0600 would shut colleagues out of a shared folder
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_text(path: str | Path, text: str) -> None:
    """Replace ``path`` by ``text``; lone surrogates, which UTF-8 has not, become ``?``: offsets still hold."""
    with replacing(path) as file:
        file.write(text.encode("utf-8", "replace").decode("utf-8"))


def write_records(path: str | Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Replace ``path`` by one JSON object a line; returns how many."""
    count = 0
    with replacing(path) as file:
        for record in records:
            # Lone surrogates cannot be UTF-8; JSON's own escape carries them.
            line = json.dumps(record, ensure_ascii=False)
            file.write((line if _encodable(line) else json.dumps(record)) + "\n")
            count += 1
    return count


def read_records(path: str | Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a JSON Lines file (a byte order mark is no harm).

    Raises:
        DataError: the file cannot be read, or a line is no JSON object; the message names it.
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
