"""`pizhu label errors`: labels that are likely wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..display import Table, echo, show
from ..progress import shown
from .options import Folder, Json, Labels, OverwriteConfig, TokenFile, Url, access, label_set

if TYPE_CHECKING:
    from ...data.records import Record

_LINES = 20


def errors(
    files: Annotated[
        list[Path],
        typer.Argument(help="Labelled sentences, as `pizhu label pull` writes them; put files of corrections last."),
    ],
    out: Annotated[Path | None, typer.Option(help="Write the doubtful sentences to this .jsonl file.")] = None,
    push: Annotated[bool, typer.Option("--push", help="Send them to a project for review in Label Studio.")] = False,
    project: Annotated[
        str | None, typer.Option(help="The review project's title [default: one of its own for reviews].")
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Report labels with at least this score; a lower value finds more [default: the best measured].",
        ),
    ] = None,
    labels: Labels = None,
    overwrite_config: OverwriteConfig = False,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Find labels that are likely wrong, the most suspicious first.

    Each report is checked by a learner trained on the other reports (confident learning), and against the rules of the
    guideline: metric without a number and the reverse, thanks and lead-ins with a label. At least two labelled reports
    are needed; the results are useful from about twenty.

    Example: pizhu label errors answers.jsonl --out doubts.jsonl --push
    """
    from ...base.files import write_records
    from ...labeling.active.label_issues import MIN_SCORE, find_errors
    from ...labeling.active.pool import Pool
    from ...labeling.active.review import REVIEW, doubt_records, push_review

    chosen = label_set(labels)
    min_score = MIN_SCORE if min_score is None else min_score
    with shown() as progress:
        pool = Pool.read(files, chosen)
        records = doubt_records(find_errors(pool, chosen, min_score=min_score, progress=progress))
        if out is not None:
            write_records(out, records)
        pushed = None
        if push and records:
            pushed = push_review(
                access(folder, url, token_file),
                pool,
                records,
                title=project or REVIEW.title,
                labels=chosen,
                overwrite_config=overwrite_config,
                progress=progress,
            )
    count = int(pool.known.sum())
    if as_json:
        result = {"labelled": count, "doubtful": records, "project": pushed.url if pushed else None}
        echo(json.dumps(result, ensure_ascii=False))
    else:
        show(_table(records, count))
        if out is not None:
            echo(f"{out}: {len(records)} sentences")
        if pushed:
            echo(f"{pushed.sent} sentences sent for review, {pushed.present} were there: {pushed.url}")


def _table(records: list[Record], count: int) -> Table:
    more = f", the first {_LINES} shown" if len(records) > _LINES else ""
    table = Table(title=f"{len(records)} doubtful of {count} labelled sentences{more}")
    for column in ("score", "labels", "doubt", "sentence"):
        table.add_column(column, justify="right" if column == "score" else "left")
    for record in records[:_LINES]:
        score = max(doubt["score"] for doubt in record["doubts"])
        words = "；".join(doubt["words"] for doubt in record["doubts"])
        table.add_row(f"{score:.2f}", " ".join(record["labels"] or ()) or "none", words, record["text"][:60])
    return table
