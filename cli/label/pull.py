"""`pizhu label pull`: answers from Label Studio."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..progress import shown
from .options import Folder, Json, Labels, Task, TaskTitle, TokenFile, Url, access, fail_on, kind_and_labels


def pull(
    output: Annotated[Path, typer.Argument(help="The .jsonl file to write.")],
    project: TaskTitle = None,
    task: Task = "sentences",
    labels: Labels = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Fetch every sentence with every annotator's answer; an earlier, different file is kept beside."""
    from ...labeling.pull import pull as fetch

    kind, chosen = kind_and_labels(task, labels)
    there = access(folder, url, token_file)
    with shown() as progress:
        pulled = fetch(there, output, kind=kind, title=project, labels=chosen, progress=progress)
    if as_json:
        typer.echo(json.dumps(asdict(pulled), ensure_ascii=False, default=str))
    else:
        states = ", ".join(f"{count} {state}" for state, count in sorted(pulled.states.items())) or "no sentences"
        typer.echo(f"{pulled.path}: {states}")
        if pulled.answers:
            typer.echo("answers: " + ", ".join(f"{name} {count}" for name, count in pulled.answers.items()))
        if pulled.kept:
            typer.echo(f"the earlier file is kept as {pulled.kept}")
    fail_on(pulled.problems)
