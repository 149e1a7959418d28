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
        typer.Option(help="What compares meaning: bundled, a folder, or none (words alone; needs no torch)."),
    ] = "bundled",
    formats: Annotated[
        str, typer.Option(help="What to write, comma-separated: html (a page), json (for programs).")
    ] = "html,json",
    limit: Limit = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Lay a report against the next one of the same body.

    Which plans of the earlier report do achievements of the later one answer, which shortcomings have a plan and are
    told again, which figures moved? Writes a page to open in a browser, with the evidence side by side, and the same as
    JSON. That nothing was found for a plan is no proof that nothing was done.

    Records that people corrected can be given in place of a report: then their labels are taken.

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
            complain(f"words alone are compared, since {error}")
    with shown() as tell:
        load = cache(lambda: Annotator.load(model))
        comparison = compare_files(earlier, later, load, meaning, limits=allowed, tell=tell)
    written = write_comparison(comparison, (earlier, later), out, wanted)
    if wrong_order(comparison.earlier, comparison.later):
        complain("by their titles the first report is the later one; name the earlier one first")
    if as_json:
        echo(json.dumps(comparison.as_dict(), ensure_ascii=False))
        return
    for path in written:
        echo(path)
    counts = comparison.counts()
    plans, told, moved = counts["plans"], counts["shortcomings"], counts["figures"]
    echo(
        f"plans: {plans['answered']} answered, {plans['partly']} partly, {plans['missing']} not found; "
        f"shortcomings: {told['answered']} with a plan, {told['missing']} without; "
        f"figures: {sum(moved.values())} in both reports",
        err=True,
    )
