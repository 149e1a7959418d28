"""`pizhu label config`: what a push would change in the project's configuration."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..display import echo
from .options import Folder, Json, Labels, Task, Title, TokenFile, Url, access, kind_and_labels


def config(
    project: Title = None,
    task: Task = "sentences",
    labels: Labels = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write the configuration (XML) to this file.")
    ] = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show what the next push would change in the project: labels, hot keys, colours, layout; changes nothing itself.

    To rename a label, give its old name in the label set: `formerly = "old_name"`. The exit status is 1 if something
    would change.
    """
    from ...base.files import write_text
    from ...labeling.studio.project import difference

    kind, chosen = kind_and_labels(task, labels)
    if out is not None:
        write_text(out, kind.config(chosen) + "\n")
    found = difference(access(folder, url, token_file), chosen, project, kind)
    if as_json:
        echo(json.dumps(asdict(found), ensure_ascii=False))
    elif not (found.change or found.stored):
        echo("The project's configuration is up to date.")
    else:
        for line in found.change.lines():
            echo(line)
        for name, some in found.stored.items():
            echo(f"{name} is stored in {some.answers} answers, {some.drafts} drafts, {some.proposals} proposals")
        if found.by_hand:
            echo("somebody changed the configuration in Label Studio; push with --overwrite-config to undo that")
        echo(f"\n{found.change.diff}")
    if found.change or found.stored:
        raise typer.Exit(1)
