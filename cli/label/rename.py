"""`pizhu label rename`: answers that were given under a label's former name."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..display import echo
from ..progress import shown
from .options import Folder, Json, Task, Title, TokenFile, Url, access, kind_and_labels


def rename(
    labels: Annotated[
        Path, typer.Option("--labels", help="TOML file of the label set; renamed labels say `formerly`.")
    ],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Answers files to rewrite as well.", show_default=False)
    ] = None,
    project: Title = None,
    task: Task = "sentences",
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Rename labels in all that the project stores, and in local files of answers where they are named.

    In the label set the renamed label says `formerly = "old_name"`. Who answered and when stays as it is. Interrupted,
    it is just repeated. A push with that label set does the same for the project.
    """
    from ...labeling.studio.project import rename_labels
    from ...labeling.studio.rename import rename_file

    kind, chosen = kind_and_labels(task, labels)
    with shown() as progress:
        stored = rename_labels(access(folder, url, token_file), chosen, project, kind, progress)
    rewritten = {str(path): rename_file(path, chosen) for path in files or ()}
    if as_json:
        echo(json.dumps({"project": asdict(stored), "files": rewritten}, ensure_ascii=False))
        return
    echo(f"renamed in {stored.answers} answers, {stored.drafts} drafts, {stored.proposals} proposals")
    for path, count in rewritten.items():
        echo(f"{path}: renamed in {count} records")
