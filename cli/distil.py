"""``pizhu distil``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .display import complain
from .options import Limit


def distil(
    teachers: Annotated[list[Path], typer.Argument(help="Model folders; the student starts with layers of the first.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Model folder to write.")],
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(help="Unlabelled reports, or folders of them; may be repeated.", show_default=False),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled records, as for `pizhu train`; may be repeated.", show_default=False),
    ] = None,
    recipe: Annotated[str, typer.Option(help="A TOML file, or a shipped recipe.")] = "student",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One field of the recipe, e.g. `encoder.layers=4`.", show_default=False),
    ] = None,
    corpus: Annotated[
        bool, typer.Option(help="Learn from the shipped corpus too, if the teachers have its labels.")
    ] = True,
    limit: Limit = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, …; default: a GPU if there is one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a small, fast model to imitate large ones.

    The student learns the teachers' probabilities and the first teacher's sentence vectors, on labelled reports and, if
    you have them, on any number of unlabelled ones. If it was stopped or killed, the same command continues.

    Example: `pizhu distil 模型 --unlabelled 历年报告/ --out 小模型`, then `pizhu compact 小模型 --out 小模型-int8`
    """
    from ..base.extras import require

    require("distillation", "train")
    from ..annotate.inputs.find import find
    from ..annotate.run.reading import read_inputs
    from ..base.limits import limits
    from ..data.labels import DEFAULT_LABELS
    from ..models.folder import load_about
    from ..training.distil import distil as run
    from ..training.recipe import load_recipe
    from ..training.sources import gather
    from .progress import shown
    from .train import show_model, watching

    labels = load_about(teachers[0]).labels
    first = json.dumps(str(teachers[0].absolute()), ensure_ascii=False)  # a folder may be called shipped, or 2024
    chosen = load_recipe(recipe, [f"encoder.name={first}", *(settings or ())])
    sources = gather(data or (), labels, corpus=corpus and labels.names == DEFAULT_LABELS.names)
    allowed = limits(limit or ())
    reports, unread = [], 0
    with shown() as tell:
        inputs = find(unlabelled, limits=allowed) if unlabelled else ()
        for number, (_, result) in enumerate(read_inputs(inputs, allowed), 1):
            reading = result()
            if reading.report is not None:
                reports.append(reading.report)
            elif reading.reason:
                unread += 1
                complain(f"left out: {reading.reason}")
            tell("Reading", number, None)
        folder = run(
            chosen,
            teachers,
            sources.training,
            sources.validation,
            reports,
            out,
            labels,
            sources=sources.origin,
            device=device,
            watch=watching(tell),
        )
    show_model(folder, as_json)
    if unread:
        raise typer.Exit(1)
