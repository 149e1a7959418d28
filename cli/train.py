"""``pizhu train``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..training.loop import Progress


def train(
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Labelled records (JSON Lines, as `pizhu label pull` writes them); may be repeated.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Model folder to write. Default: where `pizhu annotate` looks.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="A TOML file, or a shipped recipe: default, demo.")] = "default",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="One field of the recipe, e.g. `training.passes=4`; may be repeated.", show_default=False
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="A label set of your own (TOML); leaves the shipped corpus out.")
    ] = None,
    corpus: Annotated[bool, typer.Option(help="Train on the shipped corpus as well.")] = True,
    offline: Annotated[bool, typer.Option(help="Never ask a model hub.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, …; default: a GPU where there is one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fine-tune an encoder on labelled reports and write a model folder.

    Without --data it learns from the shipped corpus. Reports of your own are split by report: one in five, chosen by
    its name, is kept for validation. Stopped or killed, the same command goes on where it was.

    Examples: `pizhu train --data 标注.jsonl --out 模型` · `pizhu train --set encoder.name=hfl/rbt3`
    """
    from ..models.folder import load_about
    from ..models.places import default_model
    from ..training.recipe import load_recipe
    from ..training.sources import gather
    from .display import table
    from .progress import shown

    chosen = load_recipe(recipe, settings or ())
    sources = gather(data or (), labels, corpus=corpus and labels is None)
    from ..training.loop import train as run

    with shown() as tell:

        def watch(at: Progress) -> None:
            score = "" if at.score is None else f", validation macro-F1 {at.score:.3f}"
            if at.stage == "prepare":
                tell("Preparing", at.step, at.steps)
            else:
                tell(f"Training: loss {at.loss:.3f}{score}", at.step, at.steps)

        folder = run(
            chosen,
            sources.training,
            sources.validation,
            out or default_model(),
            labels=sources.labels,
            offline=offline,
            device=device,
            watch=watch,
        )
    about = load_about(folder)
    scores = about.scores.get("validation", {})
    if as_json:
        typer.echo(
            json.dumps({"model": str(folder), "scores": about.scores, "origin": about.origin}, ensure_ascii=False)
        )
        return
    rows = [
        [label.name, label.title, f"{threshold:.2f}", f"{temperature:.2f}"]
        for label, threshold, temperature in zip(
            about.labels, about.decision.thresholds, about.decision.temperatures, strict=True
        )
    ]
    table("decision rule, chosen on validation reports", ["label", "title", "threshold", "temperature"], rows)
    if scores:
        typer.echo(f"validation macro-F1 {scores['macro_f1']:.3f} on {scores['sentences']} sentences", err=True)
    typer.echo(folder)
