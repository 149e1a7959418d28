"""``pizhu metrics``"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..base.errors import DataError, ReadError
from .display import Table, complain, echo, show
from .options import Limit

if TYPE_CHECKING:
    from ..annotate.inputs.base import Input
    from ..annotate.inputs.find import Inputs
    from ..base.limits import Limits
    from ..base.progress import Progress


def metrics(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Annotated reports (.jsonl from `pizhu annotate`), its output folders, or any input that `pizhu "
            "annotate` takes: reports, folders, patterns, archives, `@list.txt`, `-`.",
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
        bool, typer.Option("--json", help="Print one JSON record per quantity instead of a table.")
    ] = False,
) -> None:
    """Show the quantities of reports as a table: indicator, value, unit, change, comparison, period.

    It reads the sentences labelled `metric`. If a report cannot be read, the command prints the reason, continues with
    the others, and exits with status 1.

    Example: `pizhu metrics 2021年总结.docx 结果/2022年总结.jsonl --out 指标.csv`
    """
    from ..annotate.inputs.find import find
    from ..annotate.writers.quantities import check_name, write_metrics
    from ..base.limits import limits
    from ..base.progress import silent
    from .progress import shown

    if out is not None:
        check_name(out)
    allowed = limits(limit or ())
    found = find(_words(inputs), limits=allowed)
    failed: list[str] = []
    # Rows printed on a terminal show the progress, and a progress bar would garble them.
    with nullcontext(silent) if as_json and sys.stdout.isatty() else shown() as tell:
        rows = _rows(found, model, every, allowed, failed, tell)
        if out is not None:
            count = write_metrics(out, rows)
            echo(out)
        elif as_json:
            count = 0
            for count, row in enumerate(rows, 1):  # noqa: B007 - used after the loop
                echo(json.dumps(row, ensure_ascii=False))
        else:
            count, tables = _tables(rows)
    if out is None and not as_json:
        show(*tables, wide=True)
    echo(f"{count} quantities", err=True)
    for reason in failed:
        complain(reason)
    if failed:
        raise typer.Exit(1)


def _words(inputs: Iterable[str]) -> Iterator[str | Path]:
    """``inputs``, with each run folder, and each folder without reports, replaced by the records in it."""
    from ..annotate.inputs.find import Folder, is_dataset, is_run
    from ..annotate.run.tables import records_in

    for word in inputs:
        path = Path(word)
        if path.is_dir() and (is_run(path) or not (is_dataset(path) or Folder(path).count())):
            records = list(records_in(path))
            if is_run(path) and not records:
                raise ReadError(f"{word} holds no records; run `pizhu annotate` with --formats jsonl")
            if records:
                yield from records
                continue
        yield word


def _rows(
    inputs: Inputs, model: Path | None, every: bool, allowed: Limits, failed: list[str], tell: Progress
) -> Iterator[dict[str, Any]]:
    """The rows of all inputs; appends the reasons of failed inputs to ``failed``."""
    from ..annotate.run.reading import read_inputs
    from ..annotate.writers.quantities import read_annotated, record_rows, rows

    label = None if every else "metric"
    total, here = inputs.count(), Path.cwd()
    annotator = None
    for number, (item, result) in enumerate(read_inputs(inputs, allowed, but=_is_records)):
        tell("Reading reports", number, total)
        if _is_records(item):
            try:
                yield from record_rows(read_annotated(item.place, labelled=not every), label, item.key(here))
            except DataError as error:
                failed.append(str(error))
            continue
        reading = result()
        if reading.report is None:
            failed.append(reading.reason)
            continue
        report = reading.report
        if not every:
            annotator = annotator or _annotator(model)
            report = annotator.annotate(report)
        yield from rows(report, label, item.key(here))


def _is_records(item: Input) -> bool:
    return item.place.suffix.lower() == ".jsonl" and not item.inside


def _annotator(model: Path | None) -> Any:
    from ..base.errors import ConfigError
    from ..models.annotator import Annotator

    annotator = Annotator.load(model)
    if "metric" not in annotator.about.labels.names:
        raise ConfigError("the model has no label 'metric'; read every sentence with --all")
    return annotator


def _tables(found: Iterable[dict[str, Any]]) -> tuple[int, list[Table]]:
    """How many quantities there are, and a table of them for each report."""
    from ..annotate.writers.quantities import COLUMNS

    count = 0
    tables: dict[tuple[str, str], Table] = {}
    for count, row in enumerate(found, 1):  # noqa: B007 - used after the loop
        key = row["source"], row["doc"]
        if key not in tables:
            tables[key] = Table(title=" ".join(dict.fromkeys(reversed(key))), title_justify="left")
            for name in ("indicator", "text", "change", "comparison", "period"):
                justify = "right" if name == "text" else "left"
                tables[key].add_column(COLUMNS[name], justify=justify, overflow="fold")  # type: ignore[arg-type]
        amount = " ".join(row["text"].split()) + (f"（{row['bound']}）" if row["bound"] else "")
        tables[key].add_row(row["indicator"], amount, row["change"], row["comparison"], row["period"])
    return count, list(tables.values())
