"""``pizhu train``"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..base.errors import ConfigError
from .display import echo, table

if TYPE_CHECKING:
    from ..base.progress import Progress as Tell
    from ..training.loop import Progress
    from ..training.recipe import Recipe
    from ..training.reproduce import Reproduction
    from ..training.sources import Sources

FEW = 500
"""Below this number of labelled sentences, the command suggests another recipe."""


def train(
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Labelled records (JSON Lines, as `pizhu label pull` writes them); may be repeated.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Model folder to write. Default: where `pizhu annotate` looks; for --again MODEL-again."
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="A TOML file, or a shipped recipe: default, small, demo, finetune, own. [default: default]"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="One field of the recipe, e.g. `training.epochs=4`; may be repeated.", show_default=False
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="A label set of your own (TOML); leaves the shipped corpus out.")
    ] = None,
    corpus: Annotated[bool, typer.Option(help="Train on the shipped corpus too.")] = True,
    again: Annotated[
        Path | None,
        typer.Option(help="Reproduce this model from what its folder records: the same weights on the same machine."),
    ] = None,
    any_versions: Annotated[
        bool, typer.Option("--any-versions", help="With --again: continue even if other versions are installed.")
    ] = False,
    offline: Annotated[bool, typer.Option(help="Never connect to a model hub.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, …; default: a GPU if there is one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fine-tune an encoder or a model on labelled reports and write a model folder.

    Without --data it trains on the shipped corpus. Your own reports are split by report: one in five, chosen by its
    name, is kept for validation. If it was stopped or killed, the same command continues.

    Examples: `pizhu train --data 标注.jsonl --out 模型` · `pizhu train --again 模型` ·
    `pizhu train --recipe finetune --no-corpus --data 新标注.jsonl --out 模型` ·
    `pizhu train --recipe own --labels 标签.toml --data 标注.jsonl --out 模型` ·
    `torchrun --nproc-per-node 2 -m pizhu train --out 模型`
    """
    from ..base.extras import require
    from ..data.labels import DEFAULT_LABELS, LabelSet
    from ..models.paths import own_model
    from ..training.recipe import load_recipe
    from ..training.sources import gather

    if again is not None:
        if recipe is not None or settings or labels or not corpus:
            raise ConfigError("--again cannot be combined with --recipe, --set, --labels or --no-corpus")
        require("training", "train")
        _make_again(again, data or [], out, any_versions, offline, device, as_json)
        return
    if any_versions:
        raise ConfigError("--any-versions needs --again")
    require("training", "train")
    recipe = recipe or "default"
    chosen = load_recipe(recipe, settings or ())
    named = LabelSet.load(labels) if labels else DEFAULT_LABELS
    sources = gather(data or (), named, corpus=corpus and labels is None)
    count = sum(s.kind == "sentence" and s.labels is not None for r in sources.training for s in r.sentences)
    if recipe == "default" and 0 < count < FEW:
        better = "finetune" if labels is None else "own"
        echo(f"{count} labelled sentences are few; --recipe {better} learns more from them", err=True)
    folder = _run(chosen, sources, out or own_model(), offline, device)
    show_model(folder, as_json)


def _run(recipe: Recipe, sources: Sources, out: Path, offline: bool, device: str | None) -> Path:
    from ..base.progress import silent
    from ..training.distributed import rank
    from ..training.loop import train as run
    from .progress import shown

    with shown() if rank() == 0 else nullcontext(silent) as tell:
        return run(
            recipe,
            sources.training,
            sources.validation,
            out,
            labels=sources.labels,
            sources=sources.origin,
            offline=offline,
            device=device,
            watch=watching(tell),
        )


def watching(tell: Tell) -> Callable[[Progress], None]:
    """Passes the progress of a training to ``tell``."""
    from ..training.distributed import rank

    def watch(at: Progress) -> None:
        if at.stage == "resume":
            if rank() == 0:
                echo(f"resuming from step {at.step} of {at.steps}", err=True)
            return
        score = "" if at.score is None else f", validation macro-F1 {at.score:.3f}"
        if at.stage == "train":
            tell(f"Training: loss {at.loss:.3f}{score}", at.step, at.steps)
        else:
            tell({"ask": "Asking the teachers", "prepare": "Preparing"}[at.stage], at.step, at.steps)

    return watch


def _make_again(
    model: Path,
    data: list[Path],
    out: Path | None,
    any_versions: bool,
    offline: bool,
    device: str | None,
    as_json: bool,
) -> None:
    from ..models.folder import check_place
    from ..training.distributed import rank
    from ..training.reproduce import check_start, reproduce, same_weights

    out = check_place(out or model.absolute().with_name(f"{model.absolute().name}-again"), [model])
    found: Reproduction = reproduce(model, data, any_versions=any_versions)
    check_start(model, found.recipe, offline=offline)
    import torch

    torch.set_num_threads(found.threads)
    folder = _run(found.recipe, found.sources, out, offline, device or found.device)
    show_model(folder, as_json)
    same = same_weights(model, folder)
    if rank() == 0:
        echo(f"the weights are {'the same, byte for byte' if same else 'not the same'}", err=True)
    if not same:
        raise typer.Exit(1)


def show_model(folder: Path, as_json: bool) -> None:
    """Print the new model's decision rule and scores; only once if several processes trained it."""
    from ..models.decision import Decision
    from ..models.folder import load_about
    from ..training.distributed import rank

    if rank() > 0:
        return
    about = load_about(folder)
    if as_json:
        echo(json.dumps({"model": str(folder), "scores": about.scores, "origin": about.origin}, ensure_ascii=False))
        return
    rows = [
        [label.name, label.title, f"{threshold:.2f}", f"{temperature:.2f}"]
        for label, threshold, temperature in zip(
            about.labels, about.decision.thresholds, about.decision.temperatures, strict=True
        )
    ]
    if not about.scores:
        rule = "plain: no report was kept for validation"
    elif about.decision == Decision.plain(len(about.labels)):
        rule = "plain: too few validation sentences to choose by"
    else:
        rule = "chosen on validation reports"
    table(f"decision rule, {rule}", ["label", "title", "threshold", "temperature"], rows)
    if scores := about.scores.get("validation", {}):
        echo(f"validation macro-F1 {scores['macro_f1']:.3f} on {scores['sentences']} sentences", err=True)
    echo(folder)
