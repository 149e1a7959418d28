"""Everything that the command line prints: text of reports, names of files and what servers say are never obeyed."""

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
    """Print ``message``, on the error stream if it is no output; JSON keeps its value."""
    typer.secho(visible(str(message)), err=err, nl=nl, bold=bold or None)


def complain(problem: object) -> None:
    """Say what is wrong, on a line of the error stream; the names in it begin no lines of their own."""
    echo(f"pizhu: {' '.join(str(problem).splitlines())}", err=True)


class Screen(Console):
    """Rich's console, for which a string is text and no markup."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **how: object) -> Text:
        """Every string that is shown, cells and titles of tables too, comes through here."""
        return super().render_str(visible(text), **how)  # type: ignore[arg-type]


def styled(text: str, style: str = "") -> Text:
    """A cell in ``style``."""
    return Text(visible(text), style)


def show(*tables: Table, wide: bool = False) -> None:
    """Print tables; ``wide`` ones keep figures on their line in a file or pipe, which has no edge at column 80."""
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
