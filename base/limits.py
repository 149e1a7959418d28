"""How much a file may use before it is refused, so that hostile or broken files cannot take the machine down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from .errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Limits on one report, or on an archive of reports; each is a whole number above 0.

    Attributes:
        file_mb: size of the file, or of the text in a row of a table, in MiB.
        expanded_mb: size of its unpacked contents (.docx, .odt), in MiB.
        elements: tags of a web page or of a part of a Word document; twice as many attributes are allowed.
        characters: length of the extracted text.
        lines: number of lines.
        line: length of its longest line.
        pages: pages of a PDF.
        seconds: time that LibreOffice may take to convert it.
        read_seconds: wall-clock time that reading it may take in all.
        cpu_seconds: processor time that reading it may take.
        memory_mb: memory that reading it may take besides the file itself, in MiB.
        archive_mb: size of the unpacked contents of an archive (.zip, .tar.gz) or table of reports, in MiB.
    """

    file_mb: int = 100
    expanded_mb: int = 150
    elements: int = 1_000_000
    characters: int = 3_000_000
    lines: int = 300_000
    line: int = 1_000_000
    pages: int = 2_000
    seconds: int = 50
    read_seconds: int = 180
    cpu_seconds: int = 60
    memory_mb: int = 1_500
    archive_mb: int = 20_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"limit {field.name} is {value!r}, expected a whole number above 0")


DEFAULT_LIMITS = Limits()

OF_THE_MACHINE = ("read_seconds", "cpu_seconds", "memory_mb")
"""Limits that depend on the machine's speed and memory; they do not change the text that a report is read as."""


def limits(settings: Iterable[str] = (), base: Limits = DEFAULT_LIMITS) -> Limits:
    """The limits ``base`` with some of them replaced, each given as ``name=number`` (``pages=5000``).

    Raises:
        ConfigError: an unknown name, or a value that is not a whole number above 0.
    """
    names = [field.name for field in fields(Limits)]
    found: dict[str, int] = {}
    for setting in settings:
        name, _, value = (part.strip() for part in setting.partition("="))
        if name not in names or not value.isdecimal():
            raise ConfigError(f"limit {setting!r} is not understood, expected NAME=NUMBER with {', '.join(names)}")
        found[name] = int(value)
    return replace(base, **found)


def over(doc: str, found: str, name: str, limits: Limits) -> str:
    """The sentence that refuses ``doc`` because it has ``found``, which exceeds the limit ``name``."""
    return f"{doc} has {found}, more than the limit of {getattr(limits, name):,}; split it or raise --limit {name}"


def too_much(doc: str, name: str, limits: Limits) -> str:
    """The sentence that refuses ``doc`` because reading it exceeded the limit ``name`` on time or memory."""
    takes = {
        "read_seconds": "takes longer than the limit of {:,} seconds to read",
        "cpu_seconds": "takes more than the limit of {:,} seconds of processor time to read",
        "memory_mb": "takes more than the limit of {:,} MB of memory to read",
    }[name].format(getattr(limits, name))
    return f"{doc} {takes}; split it or raise --limit {name}"
