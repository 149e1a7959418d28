"""The command line: one thin file per command, which parses options, calls a plain function and prints."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.main import get_command

from ..base.errors import PizhuError, RenamedWarning
from ..base.os_errors import describe
from ..base.terminal import crashed
from . import annotate, compact, compare, data, demo, distil, evaluate, label, metrics, read, serve, table, train
from .display import complain, echo

app = typer.Typer(
    name="pizhu",
    help="pizhu (批注): labels the sentences of Chinese government reports as achievement 成效, shortcoming 不足, "
    "plan 计划 and metric 指标; helps people label them in Label Studio; trains and evaluates the model that does it. "
    "Works offline.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("read")(read.read)
app.command("annotate")(annotate.annotate)
app.command("table")(table.table)
app.command("compare")(compare.compare)
app.command("metrics")(metrics.metrics)
app.command("serve")(serve.serve)
app.add_typer(label.app, name="label")
app.add_typer(data.app, name="data")
app.command("train")(train.train)
app.command("distil")(distil.distil)
app.command("compact")(compact.compact)
app.command("evaluate")(evaluate.evaluate)
app.command("demo")(demo.demo)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        echo(version("pizhu"))
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _show_warning(show: Callable[..., None]) -> Callable[..., None]:
    """Prints warnings for users as one sentence, all others as ``show`` does."""

    def shown(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, RenamedWarning):
            complain(message)
        else:
            show(message, category, *place, **more)

    return shown


def main() -> None:
    """Run a command; exit status 0: success, 1: some inputs failed, 2: the command failed, 130: the user stopped it."""
    sys.excepthook = crashed  # we call the command directly, since typer would set another hook
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # for Chinese on a Windows console, and for text with lone surrogates
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    warnings.showwarning = _show_warning(warnings.showwarning)
    try:
        status = get_command(app)(prog_name="pizhu", standalone_mode=False)
    except PizhuError as error:
        if "--debug" in sys.argv[1:]:
            raise
        complain(error)
        status = 2
    except typer.TyperException as error:  # the command was misspelt
        if message := error.format_message():  # empty if typer showed the help instead
            path = getattr(getattr(error, "ctx", None), "command_path", "pizhu")
            complain(f"{message.rstrip('.')}; see: {path} --help")
        status = 2
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except OSError as error:  # a folder that cannot be written, a full disk
        if "--debug" in sys.argv[1:]:
            raise
        complain(describe(error))
        status = 2
    if status == 130:
        complain("stopped")
    sys.exit(status if isinstance(status, int) else 0)
