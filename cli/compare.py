"""``pizhu compare``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .display import complain, echo
from .options import Limit, Model


def compare(
    earlier: Annotated[Path, typer.Argument(help="The earlier report, or its records (.jsonl).", show_default=False)],
    later: Annotated[Path, typer.Argument(help="The later report, or its records (.jsonl).", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the page and the JSON file.")] = Path("compared"),
    model: Model = None,
    encoder: Annotated[
        str,
        typer.Option(help="The encoder that compares meanings: bundled, a folder, or none (only words; no torch)."),
    ] = "bundled",
    formats: Annotated[
        str, typer.Option(help="What to write, comma-separated: html (a page), json (for programs).")
    ] = "html,json",
    limit: Limit = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare a report with the next one of the same body.

    Which plans of the earlier report do achievements of the later one answer? Which shortcomings have a plan, and which
    appear again? Which figures changed? Writes a page to open in a browser, with the evidence side by side, and the
    same as JSON. If nothing is found for a plan, that does not prove that nothing was done.

    Instead of a report you can give records that people corrected; the command then uses their labels.

    Example: `pizhu compare 2021年总结.docx 2022年总结.docx --out 对照`
    """
    from functools import cache

    from ..analysis.compare.run import check, compare_files, write_comparison, wrong_order
    from ..base.errors import MissingExtraError
    from ..base.limits import limits
    from ..models.annotator import Annotator
    from ..models.sentence_encoder import SentenceEncoder
    from .progress import shown

    wanted = tuple(f.strip() for f in formats.split(",") if f.strip())
    check(wanted)
    allowed = limits(limit or ())
    meaning = None
    if encoder != "none":
        try:
            meaning = SentenceEncoder.load(encoder)
        except MissingExtraError as error:
            complain(f"comparing words only, since {error}")
    with shown() as tell:
        load = cache(lambda: Annotator.load(model))
        comparison = compare_files(earlier, later, load, meaning, limits=allowed, tell=tell)
    written = write_comparison(comparison, (earlier, later), out, wanted)
    if wrong_order(comparison.earlier, comparison.later):
        complain("judging by their titles, the first report is the later one; give the earlier one first")
    if as_json:
        echo(json.dumps(comparison.as_dict(), ensure_ascii=False))
        return
    for path in written:
        echo(path)
    counts = comparison.counts()
    plans, shortcomings, moved = counts["plans"], counts["shortcomings"], counts["figures"]
    echo(
        f"plans: {plans['answered']} answered, {plans['partly']} partly, {plans['missing']} not found; "
        f"shortcomings: {shortcomings['answered']} with a plan, {shortcomings['missing']} without; "
        f"figures: {sum(moved.values())} in both reports",
        err=True,
    )
