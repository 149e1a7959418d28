"""``pizhu table``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .display import echo


def table(
    inputs: Annotated[
        list[Path],
        typer.Argument(help="Records (.jsonl) that `pizhu annotate` wrote, or folders of them.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write; its extension is the format.")] = Path(
        "汇总.xlsx"
    ),
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Label set (TOML) of the records. Default: the shipped one.")
    ] = None,
) -> None:
    """Write one table of many annotated reports: .xlsx, .csv, .parquet or .jsonl.

    The workbook has a summary with charts, a sheet with one row per report, and a sheet with one row per sentence to
    filter; the others have one row per record. Memory does not grow with the number of reports.

    Example: `pizhu table 结果 --out 汇总.xlsx`
    """
    from ..annotate.run.tables import table_of
    from ..data.labels import DEFAULT_LABELS, LabelSet

    count = table_of(inputs, out, DEFAULT_LABELS if labels is None else LabelSet.load(labels))
    echo(out)
    echo(f"{count} reports", err=True)
