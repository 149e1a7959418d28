"""How much a file may ask for before it is refused: hostile or broken files must not take the machine down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from .errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Limits on one report, or on an archive of reports; each is a whole number above 0.

    Attributes:
        file_mb: size of the file, or of the text in a row of a table, in MiB.
        expanded_mb: size of what is packed in it (.docx, .odt), in MiB.
        elements: tags of a web page or of a part of a Word document, which may have twice as many attributes.
        characters: length of the extracted text.
        lines: how many lines it has.
        line: length of its longest line.
        pages: pages of a PDF.
        seconds: time that LibreOffice may take to convert it.
        read_seconds: time that reading it may take in all, by the clock on the wall.
        cpu_seconds: processor time that reading it may take.
        memory_mb: memory that reading it may take beside the file itself, in MiB.
        archive_mb: size of everything that is packed in an archive (.zip, .tar.gz) or table of reports, in MiB.
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
"""Limits that a quicker machine keeps where a slower one does not: what a report comes to does not depend on them."""


def limits(settings: Iterable[str] = (), base: Limits = DEFAULT_LIMITS) -> Limits:
    """The limits ``base`` with some of them set anew, each as ``name=number`` (``pages=5000``).

    Raises:
        ConfigError: an unknown name, or no whole number above 0.
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
    """The sentence that refuses ``doc`` because what was ``found`` is over the limit ``name``."""
    return f"{doc} has {found}, more than the limit of {getattr(limits, name):,}; split it or raise --limit {name}"


def too_much(doc: str, name: str, limits: Limits) -> str:
    """The sentence that refuses ``doc`` because reading it took more than the limit ``name`` of the machine allows."""
    takes = {
        "read_seconds": "takes longer than the limit of {:,} seconds to read",
        "cpu_seconds": "takes more than the limit of {:,} seconds of processor time to read",
        "memory_mb": "takes more than the limit of {:,} MB of memory to read",
    }[name].format(getattr(limits, name))
    return f"{doc} {takes}; split it or raise --limit {name}"
