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
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write; its ending names the format.")] = Path(
        "汇总.xlsx"
    ),
    labels: Annotated[
        Path | None, typer.Option("--labels", help="TOML file of the label set, where it is not the usual one.")
    ] = None,
) -> None:
    """Write one table over many annotated reports: .xlsx, .csv, .parquet or .jsonl.

    The workbook has a summary with charts, a row a report, and a row a sentence to filter; the others have a row a
    record. Memory stays flat, however many reports there are.

    Example: `pizhu table 结果 --out 汇总.xlsx`
    """
    from ..annotate.run.tables import table_of
    from ..data.labels import DEFAULT_LABELS, LabelSet

    count = table_of(inputs, out, DEFAULT_LABELS if labels is None else LabelSet.load(labels))
    echo(out)
    echo(f"{count} reports", err=True)
