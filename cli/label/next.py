"""`pizhu label next`: what to label next."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..display import echo
from ..progress import shown
from .options import Json, Labels, label_set, with_folders


def next_(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Reports and .jsonl files of sentence records, including those that `pizhu label pull` wrote."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The .jsonl file to write, for `pizhu label push`.")],
    count: Annotated[int, typer.Option(min=1, help="Label at most this many sentences.")] = 200,
    strategy: Annotated[
        str, typer.Option(help="mixed, uncertainty, disagreement, diversity, rare or random.")
    ] = "mixed",
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model folder, `default` for the one of `pizhu annotate`, or `light` for a learner trained on the "
            "labelled sentences; give two for disagreement [default: light, or default while nothing is labelled].",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed for random choices.")] = 1,
    labels: Labels = None,
    as_json: Json = False,
) -> None:
    """Choose the whole paragraphs that are most useful to label next, and estimate the gain from more labels.

    Sentences that are labelled, skipped or contested are left out. uncertainty chooses what the model is least certain
    about; mixed does so with more weight on rare labels and avoids similar paragraphs; disagreement chooses what two
    models disagree on; diversity, what is least similar to anything labelled; rare, likely cases of rare labels.

    Example: pizhu label next reports/*.docx answers.jsonl --count 200 --out next.jsonl && pizhu label push next.jsonl
    """
    from ...labeling.active.next import choose_next
    from ...labeling.active.pool import Pool

    chosen = label_set(labels)
    with shown() as progress:
        found = choose_next(
            Pool.read(with_folders(inputs), chosen),
            count,
            strategy=strategy,
            models=model or (),
            labels=chosen,
            seed=seed,
            progress=progress,
        )
    from ...base.files import write_records

    write_records(out, found.records)
    if as_json:
        result = {name: value for name, value in asdict(found).items() if name != "records"}
        echo(json.dumps({"path": str(out), "strategy": strategy, **result}, ensure_ascii=False))
        return
    by = f" by {' and '.join(found.models)}" if found.models else ""
    echo(f"{out}: {found.sentences} sentences in {found.paragraphs} paragraphs, of {found.open} open ones{by}")
    echo(str(found.hint))
