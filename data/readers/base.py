"""The input and output of every format's reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...base.errors import ReadError
from ...base.limits import Limits, over
from ..segment import Hint


@dataclass(frozen=True)
class Source:
    """A file to read: its bytes, and its path for formats that another program converts."""

    data: bytes
    path: Path
    limits: Limits

    @property
    def name(self) -> str:
        """The file's name, for errors."""
        return self.path.name


@dataclass(frozen=True)
class Extract:
    """The text of a file, one paragraph per line, and what its format says about the lines.

    Attributes:
        text: for a .txt file its decoded characters, unchanged.
        hints: keyed by the offset of a line's first character that is not white space.
    """

    text: str
    hints: Mapping[int, Hint] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: its name in messages.
        matches: whether the bytes are of this kind.
        read: turns them into text; raises ReadError or MissingExtraError.
    """

    name: str
    matches: Callable[[bytes], bool]
    read: Callable[[Source], Extract]


class Lines:
    """Collects lines and their hints into an :class:`Extract`, up to the ``source``'s limit of characters, if given."""

    def __init__(self, source: Source | None = None) -> None:
        self._source = source
        self._parts: list[str] = []
        self._length = 0
        self._hints: dict[int, Hint] = {}

    def add(self, line: str, hint: Hint | None = None) -> None:
        """Append one line; white space around it and line breaks inside it become plain spaces.

        Raises:
            ReadError: the source has more characters than its limit.
        """
        line = " ".join(line.split()) if "\n" in line or "\r" in line else line.strip()
        if not line:
            return
        if hint is not None:
            self._hints[self._length] = hint
        self._parts.append(line)
        self._length += len(line) + 1
        if self._source and self._length > self._source.limits.characters:
            raise ReadError(over(self._source.name, "too many characters", "characters", self._source.limits))

    @property
    def length(self) -> int:
        """The number of characters so far."""
        return self._length

    def extract(self) -> Extract:
        """The lines collected so far."""
        return Extract("\n".join(self._parts) + "\n" if self._parts else "", self._hints)
