"""Shows the progress of long steps on the error stream, so that the output stays clean."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..base.progress import Progress as Tell
from ..base.terminal import visible
from .display import Screen

SECONDS_A_LINE = 30.0
"""Seconds between the lines about a long step in a log."""


@contextmanager
def shown() -> Iterator[Tell]:
    """A function that takes a step's name, how much is done, and the total; shows it until the block ends.

    In a log or pipe each step is one line, and a long step adds a line now and then.
    """
    console = Screen(stderr=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, speed_estimate_period=300) as display:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: float, total: float | None = None, /) -> None:
            what = visible(what)
            key = what.partition(":")[0]  # "Installing: this package", "Installing: that one" are one step
            if key not in tasks:
                # Do not count what was done before (by a resumed training) in the speed.
                tasks[key] = display.add_task(what, total=total, completed=int(done))
            display.update(tasks[key], description=what, completed=int(done), total=total)

        yield tell


def _lines(console: Screen) -> Tell:
    printed: dict[str, float] = {}
    begun: dict[str, tuple[float, float]] = {}

    def tell(what: str, done: float, total: float | None = None, /) -> None:
        key = what.partition(":")[0]
        now = time.monotonic()
        if key not in printed:
            console.print(key)
            begun[key] = now, done
        elif now - printed[key] < SECONDS_A_LINE:
            return
        else:
            of = "" if total is None else f" of {total:g}{_left(now, done, total, *begun[key])}"
            console.print(f"{what} ({done:g}{of})")
        printed[key] = now

    return tell


def _left(now: float, done: float, total: float, begun: float, first: float) -> str:
    """The estimated time left for a step that began with ``first`` done; empty while there is nothing to go by."""
    if done <= first or done >= total:
        return ""
    seconds = (now - begun) / (done - first) * (total - done)
    return f", about {timedelta(seconds=round(seconds))} left"
