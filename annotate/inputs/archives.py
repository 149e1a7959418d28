"""Reads the reports in an archive of any format: the members with a report's file name, up to the size limit."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, Self

from .base import Input, is_report_name
from .packed import MEMBERS, Allowance, Distinct, Packed, Trouble, said


class Archive(Packed):
    """An archive of files."""

    def reports(self, members: Iterable[tuple[str, int, Any]]) -> Iterator[Input]:
        """The reports among ``members``, each a tuple of its name, its declared size and a function that opens it."""
        distinct, left = Distinct(), MEMBERS
        for name, stated, start in members:
            self._check_name(name)
            path = PurePosixPath(name.replace("\\", "/"))
            if not is_report_name(path.name) or "__MACOSX" in path.parts:
                continue
            if (left := left - 1) < 0:
                raise self.too_many()
            under = "/".join(path.parts[:-1])
            made = partial(Input, self.place, distinct(name), path.name, path.stem, under)
            if stated > self._most:
                yield made(trouble=self._too_large(path.name))
                continue
            try:
                with start() as file:
                    data = file.read(max(0, stated))  # the declared size may be wrong, but we never read more than it
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                yield made(trouble=f"{path.name} cannot be unpacked: {said(error)}")
            except RuntimeError:  # zipfile raises it for a password; its subclass NotImplementedError is handled above
                yield made(trouble=f"{path.name} is protected by a password; pack it without one")
            else:
                yield made(data=data)

    def too_many(self) -> Trouble:
        """The error for an archive with too many files."""
        return Trouble(f"{self.place.name} holds more than {MEMBERS:,} files; pack them into several archives")


class Counted:
    """A file opened by ``start``; every byte read counts against an allowance."""

    def __init__(self, start: Callable[[], IO[bytes]], allowance: Allowance) -> None:
        self._file = start()
        self._allowance = allowance

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._allowance.left + 1))
        self._allowance.take(len(data))
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
