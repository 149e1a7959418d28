"""``pizhu metrics``"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Limit

if TYPE_CHECKING:
    from ..data.limits import Limits
    from ..data.report import Report


def metrics(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Reports, folders of reports, or annotated reports (.jsonl as `pizhu annotate` writes).",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the table as .csv or .jsonl instead of showing it."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Model folder, for reports. Default: the one `pizhu annotate` uses."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Read every sentence, not only those labelled `metric`; needs no model.")
    ] = False,
    limit: Limit = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON record a quantity instead of a table.")
    ] = False,
) -> None:
    """Show the quantities of reports as a table: indicator, value, unit, change, comparison, period.

    They are taken from the sentences labelled `metric`. A report that cannot be read is named with the reason, the
    others are done, and the exit status is 1.

    Example: `pizhu metrics 2021年总结.docx 结果/2022年总结.jsonl --out 指标.csv`
    """
    from ..annotate.metrics import write_metrics
    from ..data.limits import limits

    failed: list[str] = []
    found = _rows(inputs, model, every, limits(limit or ()), failed)
    if out is not None:
        count = write_metrics(out, found)
        typer.echo(out)
        typer.echo(f"{count} quantities", err=True)
    elif as_json:
        for row in found:
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        _show(found)
    for reason in failed:
        typer.echo(f"pizhu: {reason}", err=True)
    if failed:
        raise typer.Exit(1)


def _rows(
    inputs: list[Path], model: Path | None, every: bool, allowed: Limits, failed: list[str]
) -> Iterator[dict[str, Any]]:
    """The rows of all inputs; what cannot be read is told to ``failed``."""
    from ..annotate.inputs import find
    from ..annotate.metrics import read_annotated, record_rows, rows
    from ..annotate.run import read_input
    from ..data.errors import DataError

    label = None if every else "metric"
    annotator = None
    for path in (path for path in inputs if path.suffix.lower() == ".jsonl"):
        try:
            yield from record_rows(read_annotated(path, labelled=not every), label)
        except DataError as error:
            failed.append(str(error))
    reports = [path for path in inputs if path.suffix.lower() != ".jsonl"]
    for item in find(reports, limits=allowed) if reports else ():
        reading = read_input(item, allowed)
        if reading.report is None:
            if reading.reason:
                failed.append(reading.reason)
            continue
        report: Report = reading.report
        if not every:
            annotator = annotator or _annotator(model)
            report = annotator.annotate(report)
        yield from rows(report, label)


def _annotator(model: Path | None) -> Any:
    from ..data.errors import ConfigError
    from ..models.annotator import Annotator

    annotator = Annotator.load(model)
    if "metric" not in annotator.about.labels.names:
        raise ConfigError("the model has no label 'metric'; read every sentence with --all")
    return annotator


def _show(found: Iterable[dict[str, Any]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..annotate.metrics import COLUMNS

    tables: dict[str, Table] = {}
    for row in found:
        if row["doc"] not in tables:
            tables[row["doc"]] = Table(title=Text(row["doc"]), title_justify="left")
            for name in ("indicator", "text", "change", "comparison", "period"):
                justify = "right" if name == "text" else "left"
                tables[row["doc"]].add_column(COLUMNS[name], justify=justify, overflow="fold")  # type: ignore[arg-type]
        amount = " ".join(row["text"].split()) + (f"（{row['bound']}）" if row["bound"] else "")
        cells = (row["indicator"], amount, row["change"], row["comparison"], row["period"])
        tables[row["doc"]].add_row(*(Text(cell) for cell in cells))  # Text: cells are data, never rich's markup
    console = Console(width=None if sys.stdout.isatty() else 120)
    for table in tables.values():
        console.print(table)
