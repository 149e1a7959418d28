"""`pizhu label rename`: rename labels in the project and in local files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..display import echo
from ..progress import shown
from .options import Folder, Json, Task, Title, TokenFile, Url, access, kind_and_labels
from .proposals import trouble


def rename(
    labels: Annotated[
        Path, typer.Option("--labels", help="TOML file of the label set; renamed labels have `formerly`.")
    ],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of answers to rewrite as well.", show_default=False)
    ] = None,
    project: Title = None,
    task: Task = "sentences",
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Rename labels in everything that the project stores, and in the given local files of answers.

    In the label set, the renamed label has `formerly = "old_name"`. Annotators and times of answers stay as they are.
    If interrupted, repeat the command. A push with that label set does the same for the project.
    """
    from ...labeling.studio.project import rename_labels
    from ...labeling.studio.rename import renamed_files
    from ...labeling.studio.shown import choose

    kind, chosen = kind_and_labels(task, labels)
    there = access(folder, url, token_file)
    # The new files are complete before the project is touched, and replace the old ones after it.
    with renamed_files(files or (), chosen) as rewritten, shown() as progress:
        stored = rename_labels(there, chosen, project, kind, progress)
    now = choose(there, project or kind.title)
    if as_json:
        result = {"project": asdict(stored), "files": rewritten, "trouble": now.trouble}
        echo(json.dumps(result, ensure_ascii=False))
        return
    echo(f"renamed in {stored.answers} answers, {stored.drafts} drafts, {stored.proposals} proposals")
    for path, count in rewritten.items():
        echo(f"{path}: renamed in {count} records")
    if now.trouble:  # a service whose model does not know the new names
        echo(trouble(now.trouble))
