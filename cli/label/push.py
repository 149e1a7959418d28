"""`pizhu label push`: sentences to Label Studio."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..progress import shown
from .options import TITLE, Folder, Json, Labels, Title, TokenFile, Url, access, fail_on, label_set


def push(
    inputs: Annotated[
        list[Path] | None, typer.Argument(help="Reports, or .jsonl files of sentence records.", show_default=False)
    ] = None,
    project: Title = TITLE,
    labels: Labels = None,
    overlap: Annotated[
        int | None, typer.Option(min=1, help="Annotators per sentence [default: as it is; 2 when new].")
    ] = None,
    blind: Annotated[
        bool | None,
        typer.Option("--blind/--not-blind", help="Hide pre-annotations from annotators.", show_default=False),
    ] = None,
    overwrite_config: Annotated[
        bool, typer.Option("--overwrite-config", help="Replace a configuration that was changed by hand.")
    ] = False,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Send sentences to be labelled; what is there already is not sent again, so an interrupted push is just repeated.

    Records with labels and scores, as `pizhu annotate` writes them, are shown to annotators as proposals. Without
    inputs the project is created or its configuration brought up to date.
    """
    from ...labeling.push import push as send

    there = access(folder, url, token_file)
    with shown() as progress:
        pushed = send(
            there,
            inputs or [],
            title=project,
            labels=label_set(labels),
            overlap=overlap,
            blind=blind,
            overwrite_config=overwrite_config,
            progress=progress,
        )
    if as_json:
        typer.echo(json.dumps(asdict(pushed), ensure_ascii=False))
    else:
        typer.echo(f"{pushed.sent} sentences sent, {pushed.present} were there, {pushed.proposals} proposals sent")
        typer.echo(f"label them at {pushed.url}")
    fail_on(pushed.problems)
