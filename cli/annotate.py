"""``pizhu annotate``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .options import Limit


def annotate(
    inputs: Annotated[list[Path], typer.Argument(help="Reports, or folders of reports.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the annotated reports.")] = Path("annotated"),
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model folder. Default: $PIZHU_MODEL, else the one `pizhu train` made, else the shipped one."
        ),
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            help="What to write for each report, comma-separated: jsonl (records), html (a page), docx (in Word: the "
            "original, coloured and commented on), xlsx (in Excel), csv, parquet, txt (the text)."
        ),
    ] = "jsonl,html",
    limit: Limit = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Label the sentences of new reports.

    For each report `A.txt` writes `OUT/A.jsonl` (a record a sentence, with labels and probabilities) and `OUT/A.html`
    (a page to open in a browser). A report that cannot be read is named with the reason, the others are done, and the
    exit status is 1.

    Example: `pizhu annotate 报告.txt 往年报告/ --out 结果`
    """
    from ..annotate.run import annotate_files, expand
    from ..data.limits import limits
    from ..models.annotator import Annotator
    from .progress import shown

    wanted = tuple(f.strip() for f in formats.split(",") if f.strip())
    paths = expand(inputs)
    annotator = Annotator.load(model)
    with shown() as tell:
        result = annotate_files(
            paths,
            out,
            annotator,
            wanted,
            limits=limits(limit or ()),
            watch=lambda done: tell("Annotating", done, len(paths)),
        )
    if as_json:
        typer.echo(json.dumps(result.as_dict(), ensure_ascii=False))
    else:
        for path in result.written:
            typer.echo(path)
        typer.echo(f"{result.reports} reports, {result.sentences} sentences annotated", err=True)
    for path, reason in result.failed:
        typer.echo(f"pizhu: {reason if str(path) in reason else f'{path}: {reason}'}", err=True)
    if result.failed:
        raise typer.Exit(1)
