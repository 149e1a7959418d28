"""Tables on the standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; the first column is text, the others are numbers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        shown.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))  # Text: cells are data, never rich's markup
    # A file or pipe has no edge at 80 columns: figures stay on their line.
    Console(width=None if sys.stdout.isatty() else 120).print(shown)
