"""Files inside a folder that may come from a stranger: no link in it is followed to anything outside.

Where the system supports it, each folder is opened within its parent without following links, and a file is removed
through the open folder, so that nobody can put a link in between. Elsewhere every step is checked before it is taken.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal

from .errors import ConfigError

_BY_HANDLE = {os.open, os.stat, os.unlink, os.rmdir} <= os.supports_dir_fd
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAITING: int = getattr(os, "O_NONBLOCK", 0)  # never wait for a pipe
_FOLDER: int = os.O_RDONLY | _NO_LINK | getattr(os, "O_DIRECTORY", 0)
_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""Error numbers where there is no folder, or a link to one."""


def is_link(path: str | Path) -> bool:
    """Whether a path is a symbolic link or, on Windows, a junction."""
    try:
        return _leads_away(os.lstat(path))
    except (OSError, ValueError):
        return False


def _leads_away(found: os.stat_result) -> bool:
    if sys.platform == "win32" and found.st_reparse_tag & 0x20000000:  # the tag's bit for "stands for another name"
        return True
    return stat.S_ISLNK(found.st_mode)


def walk(folder: Path) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """``folder`` and every folder below it, each with its entries sorted by name; links to folders are not followed.

    Folders that cannot be read are skipped. The stack does not grow with their depth.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            continue
        yield here, entries
        waiting += [here / e.name for e in reversed(entries) if e.is_dir(follow_symlinks=False) and not is_link(e.path)]


def kind(entry: os.DirEntry[str]) -> Literal["folder", "file", ""]:
    """What an entry of a folder, or the target of its link, is; empty for anything else and for broken links."""
    try:
        return "folder" if entry.is_dir() else "file" if entry.is_file() else ""
    except OSError:  # such as a link to itself
        return ""


def is_file(root: Path, path: Path) -> bool:
    """Whether there is a file at ``path`` below ``root``, neither a link nor behind one."""
    try:
        for folder in _between(root, path):
            if _leads_away(os.lstat(folder)):
                return False
        found = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and not _leads_away(found)


def check_way(root: Path, path: Path) -> None:
    """Check that a file written to ``path`` below ``root`` lands there.

    Raises:
        NotADirectoryError: a folder on the way is a link.
    """
    for folder in _between(root, path):
        if is_link(folder):
            reason = "it is a link, and a run does not write through links; remove it and run the same command again"
            raise NotADirectoryError(errno.ENOTDIR, reason, str(folder))


def _between(root: Path, path: Path) -> list[Path]:
    """The folders between ``root`` and ``path``, without these two, outermost first."""
    steps = path.relative_to(root).parts[:-1]
    return [root.joinpath(*steps[: number + 1]) for number in range(len(steps))]


def remove(root: Path, path: Path, *, emptied: bool = False) -> None:
    """Remove the file ``path`` below ``root``; links, anything behind a link and anything but a file stay.

    Args:
        emptied: also remove the folders in between that are empty afterwards.
    """
    *folders, name = path.relative_to(root).parts
    if not folders:
        if is_file(root, path):
            path.unlink(missing_ok=True)
    elif _BY_HANDLE:
        handle = os.open(root, _FOLDER)
        try:
            _remove_in(handle, folders, name, emptied)
        finally:
            os.close(handle)
    elif not any(map(is_link, _between(root, path))):
        if is_file(root, path):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # one is not empty, or was never there
            for folder in reversed(_between(root, path) if emptied else []):
                folder.rmdir()


def _remove_in(folder: int, folders: list[str], name: str, emptied: bool) -> None:
    """:func:`remove` through handles: the file ``name`` below ``folders``, which start in an open folder."""
    if not folders:
        with suppress(FileNotFoundError):
            if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=folder)
        return
    try:
        inner = os.open(folders[0], _FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            return
        raise
    try:
        _remove_in(inner, folders[1:], name, emptied)
    finally:
        os.close(inner)
    if emptied:
        with suppress(OSError):  # it is not empty
            os.rmdir(folders[0], dir_fd=folder)


def open_own(path: Path, mode: str) -> IO[Any]:
    """``open`` (text in UTF-8 with ``\\n``) for a regular file that is not a link.

    Raises:
        ConfigError: ``path`` is a link, a pipe, a device or a folder.
    """
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    return open(path, mode, opener=_open_own, **text)


def _open_own(path: str, flags: int) -> int:
    with suppress(FileNotFoundError):
        _check_own(path, os.lstat(path))
    try:
        handle = os.open(path, flags | _NO_LINK | _NO_WAITING, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link was put there just now
            raise _not_own(path) from None
        raise
    try:
        _check_own(path, os.fstat(handle))
    except ConfigError:
        os.close(handle)
        raise
    return handle


def _check_own(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) or _leads_away(found):
        raise _not_own(path)


def _not_own(path: str) -> ConfigError:
    return ConfigError(f"{path} is not a file but a link, a folder or a device; remove it, or choose another folder")
