"""``pizhu data check``, ``pizhu data stats`` and ``pizhu data export``"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .display import echo, table

app = typer.Typer(help="The labelled corpus: check it, count it, export it.", no_args_is_help=True)
Folder = Annotated[Path | None, typer.Argument(help="Corpus folder. Default: the shipped one.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def check(folder: Folder = None, as_json: Json = False) -> None:
    """Find problems in a corpus; exit status 1 if there are any.

    Finds reports in two splits, near-duplicate sentences in two splits, a label missing from a split, conflicting
    labels for the same text in the same context, metrics without a number, invisible characters, and text copied
    between reports. Prints the file and line of each.
    """
    from ..data.corpus.check import check_corpus

    found = check_corpus(folder)
    if as_json:
        body = asdict(found) | {"problems": [str(p) for p in found.problems]}
        echo(json.dumps(body, ensure_ascii=False))
    else:
        for problem in found.problems:
            echo(str(problem))
        echo(
            f"{found.reports} reports, {found.sentences} sentences: {len(found.problems)} problems; "
            f"{found.shared_runs} sentences share a long run with another report, "
            f"{found.near_duplicates} have a near-duplicate there",
            err=True,
        )
    if found.problems:
        raise typer.Exit(1)


@app.command()
def stats(folder: Folder = None, as_json: Json = False) -> None:
    """Count reports, sentences and labels, by kind, level, body and split, and the hard cases."""
    from ..data.corpus.load import load_corpus
    from ..data.corpus.stats import stats as count

    found = count(load_corpus(folder))
    if as_json:
        echo(json.dumps(found, ensure_ascii=False))
        return
    labels = list(next(iter(found["by_split"].values())))
    for name in ("by_split", "by_kind", "by_level", "by_body", "by_plan"):
        rows = [[key, *(str(counts[c]) for c in labels)] for key, counts in found[name].items()]
        table(name.removeprefix("by_"), ["", *labels], rows)
    table("hard cases", ["case", "sentences"], [[name, str(count)] for name, count in found["cases"].items()])
    echo(
        f"{found['reports']} reports, {found['sentences']} sentences, {found['characters']['tokens']} characters "
        f"({found['characters']['types']} different); {found['bare_achievements']:.0%} of achievements are bare"
    )


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="Folder to write train.jsonl, validation.jsonl and test.jsonl into.")],
    folder: Annotated[Path | None, typer.Option(help="Corpus folder. Default: the shipped one.")] = None,
) -> None:
    """Write the corpus as JSON Lines, one file per split (from Python: `pizhu.data.corpus.export.dataset_dict()`)."""
    from ..data.corpus.export import export_jsonl

    for path in export_jsonl(out, folder):
        echo(path)
