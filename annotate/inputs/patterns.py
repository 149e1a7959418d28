"""Path patterns: ``*``, ``?`` and ``[…]`` as in glob, and ``**`` for folders at any depth.

glob itself follows every link under ``**``, so two links to their own folder make it loop for ever. This module visits
each folder once, however many links lead to it.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from ...base.inside import is_link, kind

_ANY = "**"


def matching(pattern: str) -> list[Path]:
    """The paths that match ``pattern``, sorted by name; hidden ones only if the pattern names the dot."""
    path = Path(pattern)
    if _ANY not in path.parts:
        return sorted(Path(name) for name in glob.glob(pattern))  # noqa: PTH207 - accepts absolute patterns too
    found = [Path(path.anchor)]
    steps = path.parts[1:] if path.anchor else path.parts
    for step in (*steps, "*") if steps[-1] == _ANY else steps:
        found = list(_folders(found) if step == _ANY else _step(found, step))
    return sorted(found)


def _step(folders: list[Path], step: str) -> Iterator[Path]:
    """The paths in each of ``folders`` that match one component of a pattern."""
    for folder in folders:
        if glob.has_magic(step):
            yield from (folder / name for name in glob.glob(step, root_dir=folder))  # noqa: PTH207
        elif os.path.lexists(folder / step):
            yield folder / step


def _folders(found: list[Path]) -> Iterator[Path]:
    """The folders among ``found`` and all below them, except hidden ones; each once, by the first path to it."""
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
        except OSError:  # a file, or an unreadable folder
            continue
        yield here
        for name in reversed(folders):
            path = here / name
            waiting.append((path, os.path.realpath(path) if is_link(path) else os.path.join(place, name)))  # noqa: PTH118
