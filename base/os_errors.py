"""Errors of the operating system: whether they concern one file or the machine, and what to do about them."""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, errno.EDQUOT}
_MACHINE = _FULL | {
    errno.EROFS,
    errno.EIO,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENODEV,
    errno.ENXIO,
    errno.ENOTCONN,  # a mounted file system whose server is gone
    errno.ESTALE,
    errno.ETIMEDOUT,
}


def is_systemic(error: OSError) -> bool:
    """Whether the next file would fail as well: the disk is full, broken or gone, or memory is short."""
    return error.errno in _MACHINE


def is_disk_full(error: OSError) -> bool:
    """Whether a disk, or the user's share of it, is full."""
    return error.errno in _FULL


def describe(error: OSError) -> str:
    """The error as a sentence: the file, the system's message and, if known, what to do."""
    advice = ""
    if is_disk_full(error):
        advice = "; free space and run the same command again"
    elif error.errno == errno.ENAMETOOLONG:
        advice = "; name a folder with a shorter path"
    elif isinstance(error, PermissionError):
        advice = "; check that you may write there and no other program has it open, and run the same command again"
    return f"{error.filename or 'the system'}: {error.strerror or error}{advice}"
