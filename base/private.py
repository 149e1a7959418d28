"""Files that only their owner may read: tokens, passwords, secrets."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import LabelingError
from .files import replacing


def read_private(path: str | Path) -> str:
    """The text of a file that only its owner can read; refused if others can, where the system has file modes."""
    path = Path(path)
    try:
        if os.name == "posix" and (mode := path.stat().st_mode & 0o777) & 0o077:
            raise LabelingError(f"{path} can be read by others (mode {mode:o}); run: chmod 600 '{path}'")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LabelingError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError):
        raise LabelingError(f"{path} cannot be read as text") from None


def write_private(path: str | Path, text: str) -> None:
    """Replace ``path`` by ``text``, readable by its owner only."""
    with replacing(path, private=True) as file:
        file.write(text)
