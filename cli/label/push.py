"""`pizhu label push`: send sentences to Label Studio."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..display import echo
from ..progress import shown
from .options import (
    Folder,
    Json,
    Labels,
    OverwriteConfig,
    Task,
    Title,
    TokenFile,
    Url,
    access,
    fail_on,
    kind_and_labels,
    with_folders,
)
from .proposals import hidden, trouble


def push(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(help="Reports, .jsonl files of sentence records, or folders of either.", show_default=False),
    ] = None,
    project: Title = None,
    task: Task = "sentences",
    labels: Labels = None,
    overlap: Annotated[
        int | None, typer.Option(min=1, help="Annotators per sentence [default: as it is; 2 when new].")
    ] = None,
    blind: Annotated[
        bool | None,
        typer.Option("--blind/--not-blind", help="Hide pre-annotations from annotators.", show_default=False),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model folder that proposes labels while pushing, `default` for the one `pizhu annotate` uses."
        ),
    ] = None,
    report_url: Annotated[
        str | None,
        typer.Option(
            help="Where annotators can read the whole report, e.g. 'http://pc-7:8000/{name}.html#u{index}' for "
            "pages of `pizhu annotate`. Fields: {name}, {doc}, {index}, {id}, {start}, {end}."
        ),
    ] = None,
    remove_label: Annotated[
        list[str] | None,
        typer.Option("--remove-label", help="Remove this label even if answers use it; may be repeated."),
    ] = None,
    overwrite_config: OverwriteConfig = False,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Send sentences to be labelled; those already there are not sent again, so an interrupted push can be repeated.

    Labels and scores of records, as `pizhu annotate` writes them, are shown to annotators as proposals; with --model,
    the push makes the proposals. Without inputs it creates the project or updates its configuration (see what that
    would change with `pizhu label config`). With --task spans it sends only sentences that are labelled metric or hold
    a quantity, with the quantities marked.
    """
    from ...labeling.studio.push import push as send

    kind, chosen = kind_and_labels(task, labels)
    sources = with_folders(inputs or ())
    annotator = None
    if model is not None:
        from ...models.annotator import Annotator

        annotator = Annotator.load(None if str(model) == "default" else model)
    there = access(folder, url, token_file)
    with shown() as progress:
        pushed = send(
            there,
            sources,
            kind=kind,
            title=project,
            labels=chosen,
            overlap=overlap,
            blind=blind,
            overwrite_config=overwrite_config,
            remove=remove_label or (),
            annotator=annotator,
            report_url=report_url,
            progress=progress,
        )
    if as_json:
        echo(json.dumps(asdict(pushed), ensure_ascii=False))
    else:
        echo(f"{pushed.sent} sentences sent, {pushed.present} were there, {pushed.proposals} proposals sent")
        if pushed.renewed:
            echo(f"{pushed.renewed} sentences that were there also got proposals of this model")
        if pushed.trouble:
            echo(trouble(pushed.trouble))
        elif pushed.live:
            echo(f"annotators see what the prediction service {pushed.shown} proposes, not what was pushed")
        elif pushed.shown:
            echo(f"annotators see the proposals of {pushed.shown}")
        if pushed.hidden:
            echo(hidden(pushed.hidden))
        echo(f"label them at {pushed.url}")
    fail_on(pushed.problems)
