"""Temporary folders for files with passwords; the next process removes those that a killed one left."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...base.errors import ConfigError
from ...base.files import locked
from ...base.inside import is_link

_FOLDER = re.compile(r"(\.pizhu-label-[a-z0-9_]{8})(\.lock)?")
_PART = re.compile(r"\.pizhu-label-\d{8}T\d{6}Z\.zip\.[a-z0-9_]{8}\.part")  # an earlier pizhu's unfinished backup


@contextmanager
def scratch(place: Path) -> Iterator[Path]:
    """A folder of mode 700 in ``place``, removed after the block; first removes what killed processes left."""
    clear(place)
    folder = place / f".pizhu-label-{secrets.token_hex(4)}"
    # Locked before it exists, so that no other process takes it for a leftover.
    with locked(_lock_of(folder)):
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def clear(place: Path) -> None:
    """Remove from ``place`` the folders of :func:`scratch` that no process uses; failures are ignored."""
    try:
        names = [path.name for path in place.iterdir()]
    except OSError:
        return
    for folder in {place / match[1] for name in names if (match := _FOLDER.fullmatch(name))}:
        with suppress(OSError, ConfigError), locked(_lock_of(folder)):
            if folder.is_dir() and not is_link(folder):
                shutil.rmtree(folder)
    for name in filter(_PART.fullmatch, names):
        with suppress(OSError):
            (place / name).unlink()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
