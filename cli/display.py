"""Prints everything for the command line; escapes control characters from reports, file names and servers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..base.terminal import visible

__all__ = ["Screen", "Table", "complain", "echo", "show", "styled", "table"]


def echo(message: object = "", *, err: bool = False, nl: bool = True, bold: bool = False) -> None:
    """Print ``message``, with ``err`` on the error stream; escaping does not change the value of JSON."""
    typer.secho(visible(str(message)), err=err, nl=nl, bold=bold or None)


def complain(problem: object) -> None:
    """Print a problem as one line on the error stream; line breaks in it become spaces."""
    echo(f"pizhu: {' '.join(str(problem).splitlines())}", err=True)


class Screen(Console):
    """Rich's console, but strings are plain text, not markup."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **how: object) -> Text:
        """Escapes every printed string, including cells and titles of tables."""
        return super().render_str(visible(text), **how)  # type: ignore[arg-type]


def styled(text: str, style: str = "") -> Text:
    """A table cell in ``style``."""
    return Text(visible(text), style)


def show(*tables: Table, wide: bool = False) -> None:
    """Print tables; ``wide`` ones use 120 columns in a file or pipe, so that their figures do not wrap."""
    screen = Screen(width=120 if wide and not sys.stdout.isatty() else None)
    for each in tables:
        screen.print(each)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; the first column is text, the others are numbers."""
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        made.add_row(*row)
    show(made, wide=True)
