"""Patterns of paths: ``*``, ``?`` and ``[…]`` as glob has them, and ``**`` for folders in folders.

glob itself follows every link under ``**``, so that two links to the folder they lie in have it go round for ever. Here
each folder is looked into once, however many links lead there.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from ...base.inside import is_link, kind

_ANY = "**"


def matching(pattern: str) -> list[Path]:
    """The paths that fit ``pattern``, in the order of their names; hidden ones only where it says so."""
    path = Path(pattern)
    if _ANY not in path.parts:
        return sorted(Path(name) for name in glob.glob(pattern))  # noqa: PTH207 - takes absolute ones too
    found = [Path(path.anchor)]
    steps = path.parts[1:] if path.anchor else path.parts
    for step in (*steps, "*") if steps[-1] == _ANY else steps:
        found = list(_folders(found) if step == _ANY else _step(found, step))
    return sorted(found)


def _step(folders: list[Path], step: str) -> Iterator[Path]:
    """What fits one step of a pattern in each of ``folders``."""
    for folder in folders:
        if glob.has_magic(step):
            yield from (folder / name for name in glob.glob(step, root_dir=folder))  # noqa: PTH207
        elif os.path.lexists(folder / step):
            yield folder / step


def _folders(found: list[Path]) -> Iterator[Path]:
    """The folders among ``found`` and all below them, hidden ones aside; each once, by the first way to it."""
    seen: set[str] = set()
    waiting = [(path, os.path.realpath(path)) for path in reversed(found)]
    while waiting:
        here, place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        try:
            with os.scandir(here) as entries:
                folders = sorted(e.name for e in entries if not e.name.startswith(".") and kind(e) == "folder")
        except OSError:  # a file, or what may not be read
            continue
        yield here
        for name in reversed(folders):
            path = here / name
            waiting.append((path, os.path.realpath(path) if is_link(path) else os.path.join(place, name)))  # noqa: PTH118
