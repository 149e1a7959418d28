"""``pizhu read``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .display import Table, complain, echo, show, styled
from .options import Limit

if TYPE_CHECKING:
    from ..data.report import Report


def read(
    files: Annotated[list[Path], typer.Argument(help="Reports to read.", show_default=False)],
    limit: Limit = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON record per sentence instead of a table.")
    ] = False,
) -> None:
    """Show how pizhu reads reports: their sentences, headings and page furniture, in order.

    If a report cannot be read, the command prints the reason, shows the others, and exits with status 1.

    Example: `pizhu read 报告.txt --json`
    """
    from ..base.errors import PizhuError
    from ..base.limits import limits
    from ..data.read import read_reports

    allowed = limits(limit or ())
    failed = False
    for report in read_reports(files, limits=allowed):
        if isinstance(report, PizhuError):
            complain(report)
            failed = True
        elif as_json:
            for record in report.records():
                echo(json.dumps(record, ensure_ascii=False))
        else:
            _show(report)
    if failed:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    table = Table(title=report.doc, title_justify="left", show_lines=False)
    for column, justify in (("characters", "right"), ("kind", "left"), ("heading path", "left"), ("text", "left")):
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    styles = {"heading": "bold", "furniture": "dim", "sentence": ""}
    for s in report.sentences:
        style = styles[s.kind]
        path = styled(" › ".join(heading[:12] for heading in s.headings), "dim")
        table.add_row(f"{s.start}-{s.end}", styled(s.kind, style), path, styled(" ".join(s.text.split()), style))
    show(table)
